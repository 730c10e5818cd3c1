/*
 * banter-model: the stand-in model. Starts, says where it listens, and ends on SIGTERM or SIGINT.
 */
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options.h"
#include "server.h"

/* Each connection takes a descriptor, and another while it waits. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Returns the bound and listening socket; -1: said why on stderr. */
static int open_listener(const struct options *options)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *address = NULL;
	int failed = getaddrinfo(options->host, options->port, &hints, &address);
	int fd = -1;

	if (failed != 0) {
		fprintf(stderr, "banter-model: %s:%s: %s\n", options->host, options->port,
			gai_strerror(failed));
		return -1;
	}
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (fd < 0 || bind(fd, address->ai_addr, address->ai_addrlen) != 0 ||
	    listen(fd, 4096) != 0) {
		fprintf(stderr, "banter-model: cannot listen on %s:%s: %m\n", options->host,
			options->port);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(address);
	return fd;
}

static void announce(const struct options *options, int listener)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";

	if (getsockname(listener, (struct sockaddr *)&address, &len) == 0)
		getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port,
			    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	printf(strchr(host, ':') != NULL ? "listening on %s://[%s]:%s\n"
					 : "listening on %s://%s:%s\n",
	       options->tls_cert != NULL ? "https" : "http", host, port);
	fflush(stdout);
}

static int serve(const struct options *options, const sigset_t *signals)
{
	struct MHD_Daemon *daemon;
	struct server server;
	int listener, failed = 1, signal_number;

	if (server_init(&server, options) != STATUS_OK) {
		fprintf(stderr, "banter-model: out of memory or descriptors\n");
		goto out;
	}
	listener = open_listener(options);
	if (listener < 0)
		goto out;
	daemon = server_start(&server, listener);
	if (daemon == NULL) {
		fprintf(stderr, "banter-model: cannot start%s\n",
			options->tls_cert != NULL ? "; are the certificate and its key good?" : "");
		close(listener);
		goto out;
	}
	announce(options, listener);
	sigwait(signals, &signal_number);
	server_stop(&server, daemon);
	failed = 0;
out:
	server_clear(&server);
	return failed;
}

int main(int argc, char **argv)
{
	struct options options;
	sigset_t signals;
	int failed = 1;

	if (options_parse(&options, argc, argv) != STATUS_OK)
		goto out;
	failed = 0;
	if (options.help) {
		options_print_help();
		goto out;
	}
	/* Blocked before any thread starts, so that all inherit it and only sigwait takes them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	failed = serve(&options, &signals);
out:
	options_clear(&options);
	return failed;
}
