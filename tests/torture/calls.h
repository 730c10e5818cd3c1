/*
 * What can fail beneath us, a row a call: what is asked of libraries and of the system, and what they
 * say then. The Makefile reads the names of the rows, for --wrap; what they mean, torture.c says.
 *
 *   MEMORY: what it gives is ours to free
 *   CALL: name, type, parameters, arguments, what it returns when it fails, and errno
 *   OWN: one that torture.c writes out, since its parameters vary or it fails in a way of its own
 *
 * What cannot fail with the arguments that we give, and what ends the process if it does (getrandom()),
 * is not among them.
 */

MEMORY(malloc, void *, (size_t n), (n))
MEMORY(calloc, void *, (size_t count, size_t n), (count, n))
MEMORY(strdup, char *, (const char *text), (text))
MEMORY(strndup, char *, (const char *text, size_t n), (text, n))
MEMORY(open_memstream, FILE *, (char **memory, size_t *n), (memory, n))
OWN(realloc)
OWN(reallocarray)
OWN(free)

CALL(mmap, void *, (void *at, size_t n, int may, int flags, int fd, off_t from),
     (at, n, may, flags, fd, from), MAP_FAILED, ENOMEM)
CALL(accept4, int, (int fd, struct sockaddr *peer, socklen_t *n, int flags), (fd, peer, n, flags),
     -1, EMFILE)
CALL(access, int, (const char *path, int how), (path, how), -1, EACCES)
CALL(bind, int, (int fd, const struct sockaddr *at, socklen_t n), (fd, at, n), -1, EADDRINUSE)
CALL(chmod, int, (const char *path, mode_t mode), (path, mode), -1, EPERM)
CALL(connect, int, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n), -1, ECONNREFUSED)
CALL(dup, int, (int fd), (fd), -1, EMFILE)
CALL(dup2, int, (int fd, int other), (fd, other), -1, EMFILE)
CALL(epoll_create1, int, (int flags), (flags), -1, EMFILE)
CALL(epoll_ctl, int, (int epoll, int what, int fd, struct epoll_event *event),
     (epoll, what, fd, event), -1, ENOMEM)
CALL(epoll_pwait, int,
     (int epoll, struct epoll_event *events, int most, int ms, const sigset_t *mask),
     (epoll, events, most, ms, mask), -1, EINTR)
CALL(eventfd, int, (unsigned first, int flags), (first, flags), -1, EMFILE)
CALL(flock, int, (int fd, int how), (fd, how), -1, ENOLCK)
CALL(fopen, FILE *, (const char *path, const char *mode), (path, mode), NULL, EMFILE)
CALL(fork, pid_t, (void), (), -1, EAGAIN)
CALL(fstat, int, (int fd, struct stat *st), (fd, st), -1, EIO)
CALL(getaddrinfo, int,
     (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found),
     (name, service, hints, found), EAI_MEMORY, ENOMEM)
CALL(getnameinfo, int,
     (const struct sockaddr *of, socklen_t n, char *host, socklen_t size, char *service,
      socklen_t service_size, int flags),
     (of, n, host, size, service, service_size, flags), EAI_MEMORY, ENOMEM)
CALL(getpwuid, struct passwd *, (uid_t user), (user), NULL, EMFILE)
CALL(getrlimit, int, (__rlimit_resource_t what, struct rlimit *limit), (what, limit), -1, EPERM)
CALL(getsockname, int, (int fd, struct sockaddr *at, socklen_t *n), (fd, at, n), -1, ENOBUFS)
CALL(getsockopt, int, (int fd, int level, int name, void *value, socklen_t *n),
     (fd, level, name, value, n), -1, ENOBUFS)
CALL(listen, int, (int fd, int backlog), (fd, backlog), -1, EADDRINUSE)
CALL(lstat, int, (const char *path, struct stat *st), (path, st), -1, EACCES)
CALL(pipe2, int, (int ends[2], int flags), (ends, flags), -1, EMFILE)
CALL(poll, int, (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms), -1, ENOMEM)
CALL(posix_fallocate, int, (int fd, off_t from, off_t n), (fd, from, n), ENOSPC, ENOSPC)
CALL(ppoll, int,
     (struct pollfd * fds, nfds_t count, const struct timespec *limit, const sigset_t *mask),
     (fds, count, limit, mask), -1, ENOMEM)
CALL(pread, ssize_t, (int fd, void *out, size_t n, off_t from), (fd, out, n, from), -1, EIO)
CALL(pthread_create, int,
     (pthread_t * thread, const pthread_attr_t *attr, void *(*run)(void *), void *context),
     (thread, attr, run, context), EAGAIN, EAGAIN)
CALL(read, ssize_t, (int fd, void *out, size_t n), (fd, out, n), -1, EIO)
CALL(recv, ssize_t, (int fd, void *out, size_t n, int flags), (fd, out, n, flags), -1, ENOMEM)
CALL(recvmsg, ssize_t, (int fd, struct msghdr *message, int flags), (fd, message, flags), -1,
     ENOMEM)
CALL(send, ssize_t, (int fd, const void *bytes, size_t n, int flags), (fd, bytes, n, flags), -1,
     ENOBUFS)
CALL(sendmsg, ssize_t, (int fd, const struct msghdr *message, int flags), (fd, message, flags), -1,
     ENOBUFS)
CALL(sendto, ssize_t,
     (int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to, socklen_t to_n),
     (fd, bytes, n, flags, to, to_n), -1, ENOBUFS)
CALL(setenv, int, (const char *name, const char *value, int replace), (name, value, replace), -1,
     ENOMEM)
CALL(setrlimit, int, (__rlimit_resource_t what, const struct rlimit *limit), (what, limit), -1,
     EPERM)
CALL(setsockopt, int, (int fd, int level, int name, const void *value, socklen_t n),
     (fd, level, name, value, n), -1, ENOBUFS)
CALL(socket, int, (int domain, int type, int protocol), (domain, type, protocol), -1, EMFILE)
CALL(socketpair, int, (int domain, int type, int protocol, int ends[2]),
     (domain, type, protocol, ends), -1, EMFILE)
CALL(stat, int, (const char *path, struct stat *st), (path, st), -1, EACCES)
CALL(unlink, int, (const char *path), (path), -1, EACCES)
CALL(write, ssize_t, (int fd, const void *bytes, size_t n), (fd, bytes, n), -1, ENOSPC)
OWN(close)
OWN(fcntl)
OWN(ioctl)
OWN(open)

CALL(PQconninfo, PQconninfoOption *, (PGconn * conn), (conn), NULL, ENOMEM)
CALL(PQconninfoParse, PQconninfoOption *, (const char *text, char **why), (text, why), NULL, ENOMEM)
CALL(PQconnectStartParams, PGconn *,
     (const char *const *names, const char *const *values, int expand), (names, values, expand),
     NULL, ENOMEM)
CALL(PQconnectPoll, PostgresPollingStatusType, (PGconn * conn), (conn), PGRES_POLLING_FAILED, EIO)
CALL(PQconsumeInput, int, (PGconn * conn), (conn), 0, EIO)
CALL(PQenterPipelineMode, int, (PGconn * conn), (conn), 0, EIO)
CALL(PQexitPipelineMode, int, (PGconn * conn), (conn), 0, EIO)
CALL(PQflush, int, (PGconn * conn), (conn), -1, EIO)
CALL(PQpipelineSync, int, (PGconn * conn), (conn), 0, ENOMEM)
CALL(PQsendPrepare, int,
     (PGconn * conn, const char *name, const char *sql, int count, const Oid *types),
     (conn, name, sql, count, types), 0, ENOMEM)
CALL(PQsendQuery, int, (PGconn * conn, const char *sql), (conn, sql), 0, ENOMEM)
CALL(PQsendQueryParams, int,
     (PGconn * conn, const char *sql, int count, const Oid *types, const char *const *values,
      const int *lengths, const int *formats, int format),
     (conn, sql, count, types, values, lengths, formats, format), 0, ENOMEM)
CALL(PQsendQueryPrepared, int,
     (PGconn * conn, const char *name, int count, const char *const *values, const int *lengths,
      const int *formats, int format),
     (conn, name, count, values, lengths, formats, format), 0, ENOMEM)
CALL(PQsetnonblocking, int, (PGconn * conn, int on), (conn, on), -1, EIO)
OWN(PQgetResult)

CALL(curl_easy_duphandle, CURL *, (CURL * easy), (easy), NULL, ENOMEM)
CALL(curl_easy_header, CURLHcode,
     (CURL * easy, const char *name, size_t index, unsigned origin, int request,
      struct curl_header **out),
     (easy, name, index, origin, request, out), CURLHE_OUT_OF_MEMORY, ENOMEM)
CALL(curl_easy_init, CURL *, (void), (), NULL, ENOMEM)
CALL(curl_global_init, CURLcode, (long flags), (flags), CURLE_OUT_OF_MEMORY, ENOMEM)
CALL(curl_multi_add_handle, CURLMcode, (CURLM * multi, CURL *easy), (multi, easy),
     CURLM_OUT_OF_MEMORY, ENOMEM)
CALL(curl_multi_init, CURLM *, (void), (), NULL, ENOMEM)
CALL(curl_multi_perform, CURLMcode, (CURLM * multi, int *left), (multi, left), CURLM_OUT_OF_MEMORY,
     ENOMEM)
CALL(curl_multi_socket_action, CURLMcode, (CURLM * multi, curl_socket_t fd, int events, int *left),
     (multi, fd, events, left), CURLM_OUT_OF_MEMORY, ENOMEM)
CALL(curl_slist_append, struct curl_slist *, (struct curl_slist * list, const char *line),
     (list, line), NULL, ENOMEM)
OWN(curl_easy_setopt)

CALL(FCGX_FClose, int, (FCGX_Stream * stream), (stream), -1, EPIPE)
CALL(FCGX_Init, int, (void), (), -1, EIO)
CALL(FCGX_PutStr, int, (const char *bytes, int n, FCGX_Stream *stream), (bytes, n, stream), -1,
     EPIPE)
CALL(FCGI_fflush, int, (FCGI_FILE * file), (file), -1, EPIPE)
OWN(FCGX_Accept_r)

CALL(inflate, int, (z_streamp zlib, int flush), (zlib, flush), Z_MEM_ERROR, ENOMEM)
CALL(inflateInit2_, int, (z_streamp zlib, int bits, const char *version, int size),
     (zlib, bits, version, size), Z_MEM_ERROR, ENOMEM)

CALL(SSL_CTX_new, SSL_CTX *, (const SSL_METHOD *method), (method), NULL, ENOMEM)
CALL(SSL_new, SSL *, (SSL_CTX * context), (context), NULL, ENOMEM)
CALL(X509_new, X509 *, (void), (), NULL, ENOMEM)
CALL(X509_sign, int, (X509 * certificate, EVP_PKEY *key, const EVP_MD *digest),
     (certificate, key, digest), 0, ENOMEM)

CALL(json_tokener_new_ex, struct json_tokener *, (int depth), (depth), NULL, ENOMEM)
