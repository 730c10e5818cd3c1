/*
 * The HTTP server: a thread for each connection, which may wait as long as its script wants.
 */
#ifndef MODEL_SERVER_H
#define MODEL_SERVER_H

#include "exchange.h"

/* STATUS_NO_MEMORY. Call server_clear in any case. The options are borrowed. */
enum status server_init(struct server *server, const struct options *options) MUST_CHECK;
void server_clear(struct server *server);

/* Serves the listening socket (taken). NULL: it could not start. */
struct MHD_Daemon *server_start(struct server *server, int listener);
/* Cuts all that is open and waits for its threads. */
void server_stop(struct server *server, struct MHD_Daemon *daemon);

#endif
