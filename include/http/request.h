/* An immutable view of one HTTP request, whatever web server handed it over. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "chat/limit_address.h"
#include "edge/gateway.h"
#include "wire/config.h"

/* The contract's G3. */
#define REQUEST_BODY_MAX 65536
#define REQUEST_ID_MAX 128

struct request {
	struct str method;
	struct str
		path; /* undecoded, behind the prefix, without query and one trailing slash; absent: outside the prefix */
	struct str query;    /* what stands behind a "?"; absent: nothing */
	struct str raw_path; /* the same with its prefix, for the log */
	struct str id;
	char id_text[REQUEST_ID_MAX + 1];
	char address[LIMIT_ADDRESS_SIZE]; /* as it is counted */
	bool origin_listed;
	struct str origin;
	bool preflight;
	struct buf body;
	enum status body_status; /* as gateway_read() says */
	struct buf path_text;	 /* SCRIPT_NAME and PATH_INFO joined ... */
	char path_room[1024];	 /* ... which needs no memory where it may be a path of ours */
	const struct gateway *gateway;
};

/* Reads all of it but the body. */
void request_read(struct request *request, struct gateway *gateway, const struct config *config);
/*
 * Reads the body of at most `most` bytes, and what it has beyond: a connection closed over unread
 * bytes may take the reply with it.
 */
void request_read_body(struct request *request, struct gateway *gateway, size_t most);
void request_clear(struct request *request);
/* A header by its CGI name, such as "HTTP_X_API_KEY"; absent if not sent. */
struct str request_header(const struct request *request, const char *name);
/* The member of a query such as "a=1&before=12", as it was sent; absent if it has none of that name. */
struct str request_member(const struct request *request, const char *name);

#endif
