/*
 * A model's server as it is asked: its address and headers made ready for the HTTP client, the
 * members that go to it. One for each server of the settings. For model.c.
 */
#ifndef CHAT_MODEL_ENDPOINT_H
#define CHAT_MODEL_ENDPOINT_H

#include "base/status.h"
#include "chat/model_members.h"
#include "edge/http_client.h"
#include "wire/config.h"

struct model_endpoint {
	const struct model_server *server; /* which one it is; borrowed */
	struct http_prepared http;
	struct model_members members;
};

/* STATUS_NOMEM, STATUS_INVALID, STATUS_FAILED (logged); then, too, it may be cleared. */
enum status model_endpoint_init(struct model_endpoint *endpoint, struct http_client *client,
				const struct model_server *server) MUST_CHECK;
/* No transfer may be using it. A zeroed one is fine. */
void model_endpoint_clear(struct model_endpoint *endpoint);

#endif
