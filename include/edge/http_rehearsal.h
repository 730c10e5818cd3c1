/*
 * A request's beginning, played with nobody before processes are forked: what libcurl and its TLS make at
 * their first sockets, read of CA certificates and look up of algorithms, those processes share then. For
 * edge/http_client.
 */
#ifndef EDGE_HTTP_REHEARSAL_H
#define EDGE_HTTP_REHEARSAL_H

#include "edge/http_multi.h"
#include "edge/http_prepared.h"

/* Over the connections of `multi`, which has no transfer. Nothing leaves the process but to itself. */
void http_rehearsal_play(struct http_multi *multi, const struct http_prepared *prepared);

#endif
