/*
 * The other side is a socket of our own. For a server behind TLS there are two acts: in the first nobody
 * answers, and the CA certificates are read; in the second a certificate of nobody's answers, and is not
 * looked at. Its key is forgotten with it.
 */
#include "edge/http_rehearsal.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define STEPS 8 /* more than a handshake has */

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

/* Of that key, by that key. */
static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *made = X509_new();

	if (made && X509_gmtime_adj(X509_getm_notBefore(made), 0) &&
	    X509_gmtime_adj(X509_getm_notAfter(made), 60) && X509_set_pubkey(made, key) &&
	    X509_sign(made, key, EVP_sha256()))
		return made;
	X509_free(made);
	return NULL;
}

/* NULL where it cannot be made: then that is all of the rehearsal. */
static SSL *make_server(int fd)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = key ? make_certificate(key) : NULL;
	SSL_CTX *context = certificate ? SSL_CTX_new(TLS_server_method()) : NULL;
	SSL *server = NULL;

	if (context && SSL_CTX_use_certificate(context, certificate) &&
	    SSL_CTX_use_PrivateKey(context, key))
		server = SSL_new(context);
	if (server && SSL_set_fd(server, fd))
		SSL_set_accept_state(server);
	SSL_CTX_free(context);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return server;
}

/* False: it has given its connection up. */
static bool drive(struct http_multi *multi)
{
	bool connected = false;
	int i, left;

	for (i = 0; i < WAIT_MODEL_FDS; i++) {
		if (multi->fds[i].fd >= 0)
			curl_multi_socket_action(multi->handle, multi->fds[i].fd,
						 CURL_CSELECT_IN | CURL_CSELECT_OUT, &left);
		connected |= multi->fds[i].fd >= 0;
	}
	return connected;
}

static void answer(struct http_multi *multi, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), step;
	SSL *server = fd < 0 ? NULL : make_server(fd);

	for (step = 0; server && step < STEPS && drive(multi); step++)
		(void)SSL_do_handshake(server);
	SSL_free(server);
	ERR_clear_error();
	if (fd >= 0)
		close(fd);
}

static void play(struct http_multi *multi, const struct http_prepared *prepared, bool answered)
{
	char name[sizeof(struct sockaddr_un)] = "";
	int listener = listen_unnamed(name), left;
	CURL *easy = *name ? curl_easy_duphandle(prepared->easy) : NULL;

	/* A key is for its server alone. */
	if (easy && !curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL) &&
	    !curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, name) &&
	    !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, answered ? 0L : 1L) &&
	    !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, answered ? 0L : 2L) &&
	    !curl_multi_add_handle(multi->handle, easy)) {
		curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0, &left);
		if (answered)
			answer(multi, listener);
		curl_multi_remove_handle(multi->handle, easy);
	}
	curl_easy_cleanup(easy);
	if (listener >= 0)
		close(listener);
	multi->timer_at = CLOCK_NEVER;
}

void http_rehearsal_play(struct http_multi *multi, const struct http_prepared *prepared)
{
	play(multi, prepared, false);
	if (prepared->tls)
		play(multi, prepared, true);
}
