/* The other side is a socket of our own, which says nothing.  Rests on libcurl's way to connect to one. */
#include "edge/http_rehearsal.h"

#include <curl/curl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

/* A socket that takes connections under an abstract name that the kernel chose: its name; "": none. */
static int listen_unnamed(char name[sizeof(struct sockaddr_un)])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t n = sizeof(address.sun_family);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) || listen(fd, 1))
		return fd;
	n = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &n) == 0)
		memcpy(name, address.sun_path + 1, n - offsetof(struct sockaddr_un, sun_path) - 1);
	return fd;
}

void http_rehearsal_play(struct http_multi *multi, const struct http_prepared *prepared)
{
	char name[sizeof(struct sockaddr_un)] = "";
	int listener = listen_unnamed(name), left;
	CURL *easy = *name ? curl_easy_duphandle(prepared->easy) : NULL;

	/* A key is for its server alone. */
	if (easy && !curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL) &&
	    !curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, name) &&
	    !curl_multi_add_handle(multi->handle, easy)) {
		curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0, &left);
		curl_multi_remove_handle(multi->handle, easy);
	}
	curl_easy_cleanup(easy);
	if (listener >= 0)
		close(listener);
	multi->timer_at = CLOCK_NEVER;
}
