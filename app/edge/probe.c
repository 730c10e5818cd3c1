/* A client of its own for each probe: no connection of one before makes the next look better. */
#include "edge/probe.h"

#include <stdio.h>

#include "base/clock.h"
#include "edge/http_client.h"

#define HEAD_CAP 65536

/* Only the answer ends it: nothing else is waited for. */
static void transfer(struct http_client *client, struct probe *probe)
{
	struct http_piece piece = { .ended = false };
	enum status status = STATUS_OK;
	struct wait wait;

	wait_init(&wait);
	while (status == STATUS_OK && !piece.ended) {
		status = http_client_next(client, &wait, CLOCK_NEVER, &piece);
		if (piece.bytes.n && probe->bytes)
			probe->bytes(probe->context, piece.bytes);
	}
}

static void see_result(struct http_client *client, struct probe *probe)
{
	probe->status = http_client_status(client);
	probe->end = http_client_end(client);
	probe->certificate_end = http_client_certificate_end(client);
	http_client_head(client, &probe->head);
	snprintf(probe->cause, sizeof(probe->cause), "%s", http_client_cause(client));
}

enum status probe_run(struct probe *probe)
{
	const struct http_target target = {
		.url = probe->url,
		.headers = probe->headers,
		.agent = "banterctl",
		.ca = probe->ca,
		.accept_encoding = "", /* as browsers do; it is unpacked as it comes */
		.ca_folder = true,
		.http2 = true,
		.certificate = true,
		.connect_ms = probe->connect_ms,
		.total_ms = probe->total_ms,
	};
	struct http_prepared prepared = { .easy = NULL };
	struct http_client *client = NULL;
	int64_t began = clock_ms();
	enum status status;
	const char *why;

	buf_init(&probe->head, HEAD_CAP);
	probe->end = HTTP_END_OTHER;
	probe->status = 0;
	probe->certificate_end = 0;
	probe->cause[0] = '\0';
	status = http_client_new(&client);
	if (status == STATUS_OK)
		status = http_client_prepare(client, &target, &prepared, &why);
	if (status == STATUS_OK)
		status = http_client_start(client, &prepared, probe->body, CLOCK_NEVER, NULL);
	if (status == STATUS_OK) {
		transfer(client, probe);
		see_result(client, probe);
	}
	probe->ms = clock_ms() - began;
	http_client_free(client);
	http_prepared_clear(&prepared);
	return status;
}

void probe_clear(struct probe *probe)
{
	buf_clear(&probe->head);
}

struct str probe_header(const struct probe *probe, const char *name)
{
	struct str rest = buf_view(&probe->head), line;
	size_t n = strlen(name);

	while (rest.n) {
		line = str_cut(&rest, STR("\r\n"));
		if (line.n <= n || line.p[n] != ':' ||
		    !str_same((struct str){ line.p, n }, str_from(name)))
			continue;
		line = str_skip(line, n + 1);
		while (line.n && *line.p == ' ')
			line = str_skip(line, 1);
		return line;
	}
	return STR_NONE;
}
