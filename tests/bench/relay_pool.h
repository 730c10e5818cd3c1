/* What the bare relay and the floor share: their pool, and the bytes of the headless API. */
#ifndef BENCH_RELAY_POOL_H
#define BENCH_RELAY_POOL_H

#define NO_FCGI_DEFINES
#include <fcgi_stdio.h>

#define RELAY_READ 16384 /* bytes of the model at once, as libcurl reads */
#define RELAY_ID "01m7y2k3e92365hdc9rnkwb6t8"
/* clang-format off */
#define RELAY_HEAD "Status: 200 OK\r\nContent-Type: application/x-ndjson\r\nX-Request-Id: " RELAY_ID "\r\n" \
	"Cache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff" \
	"\r\nReferrer-Policy: no-referrer\r\n\r\n{\"type\":\"start\",\"conversationId\":\"" RELAY_ID "\"}\n"
/* clang-format on */
#define RELAY_DONE "{\"type\":\"done\",\"message\":\"%.*s\",\"conversationId\":\"" RELAY_ID "\"}\n"
/* The question goes on as it came: the bench model looks for its wish in any body. */
#define RELAY_BODY                                                                                 \
	"{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"messages\":[%.*s]}"

/*
 * Makes a socket there and serves what comes with so many processes, one request at a time each;
 * returns in a process that could not, or when one of them has ended.  `begin` is called first in
 * each of them.
 */
int relay_pool(const char *path, int workers, void (*begin)(void),
	       void (*serve)(FCGX_Request *request));

#endif
