/*
 * No test: what each dialect says of the errors that a web server may have to tell in its place, and
 * which paths are whose, where those tell them apart, for tests/front-errors to hold the files of deploy/ against. Lines of
 * fields with tabs between: "prefix PATH DIALECT", "error DIALECT STATUS BODY".
 */
#include <stdio.h>

#include "base/count.h"
#include "http/route.h"

/* What the files of deploy/ say in Retry-After. */
#define RETRY_S 2

/* A server's own status, and what it means to the client. */
static const struct {
	int status;
	enum http_error error;
} rows[] = {
	{ 400, ERROR_INVALID },	    { 404, ERROR_NOT_FOUND },	{ 405, ERROR_METHOD },
	{ 408, ERROR_INVALID },	    { 413, ERROR_INVALID },	{ 414, ERROR_INVALID },
	{ 429, ERROR_TOO_MANY },    { 500, ERROR_INTERNAL },	{ 502, ERROR_UNAVAILABLE },
	{ 503, ERROR_UNAVAILABLE }, { 504, ERROR_UNAVAILABLE },
};

static void print_errors(const struct dialect *dialect)
{
	struct buf body;
	size_t i;

	buf_init(&body, 4096);
	for (i = 0; i < COUNT(rows); i++) {
		buf_reset(&body);
		dialect->put_error(&body, rows[i].error, RETRY_S);
		printf("error\t%s\t%d\t%s\n", dialect->name, rows[i].status, buf_text(&body));
	}
	buf_clear(&body);
}

int main(void)
{
	const struct route_prefix *prefix;
	size_t i;

	for (i = 0; (prefix = route_prefix_at(i)) != NULL; i++) {
		if (!prefix->told_apart)
			continue;
		printf("prefix\t%s\t%s\n", prefix->prefix, prefix->dialect->name);
		print_errors(prefix->dialect);
	}
	return 0;
}
