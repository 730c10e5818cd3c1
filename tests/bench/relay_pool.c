#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay_pool.h"

int relay_pool(const char *path, int workers, void (*begin)(void),
	       void (*serve)(FCGX_Request *request))
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FCGX_Request request;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (workers < 1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4096))
		return 1;
	while (workers && fork())
		workers--;
	if (!workers)
		return wait(NULL) > 0; /* none of them ends but where it could not begin */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	begin();
	FCGX_Init();
	FCGX_InitRequest(&request, -1, 0);
	/* As Banter's workers: libfcgi has each connection as a kept one, for one request. */
	while ((request.ipcFd = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		request.keepConnection = 1;
		if (FCGX_Accept_r(&request) != 0)
			continue;
		request.keepConnection = 0;
		FCGX_PutStr(RELAY_HEAD, sizeof(RELAY_HEAD) - 1, request.out);
		serve(&request);
		FCGX_Finish_r(&request);
	}
	return 1;
}
