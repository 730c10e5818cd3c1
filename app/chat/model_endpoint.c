/* What of a server's settings stays the same in all requests to it. */
#include "chat/model_endpoint.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"

#define URL_CAP 8192
#define HEADERS_CAP (16 << 10) /* a setting is shorter */
/*
 * A kept connection is used no more when it lay for longer than this: the web's usual servers and
 * balancers close theirs after 60 s and more. And however busy it is, a new one asks the name's
 * address again after some minutes, which is what names that move live for.
 */
#define SPARE_MS 50000
#define AGE_MS 300000

/* The path goes before the query, which is Azure's ?api-version=… */
static void put_url(struct buf *url, const char *base)
{
	const char *query = strchr(base, '?');
	struct str path = query ? (struct str){ base, (size_t)(query - base) } : str_from(base);

	buf_str(url, path);
	buf_puts(url, "/chat/completions");
	if (query)
		buf_puts(url, query);
}

/* True if one of the lines says who we are. */
static bool has_key(struct str lines)
{
	struct str line, name;

	while (lines.n) {
		line = str_cut(&lines, STR("\n"));
		name = str_cut(&line, STR(":"));
		if (str_same(name, STR("Authorization")) || str_same(name, STR("api-key")))
			return true;
	}
	return false;
}

/* The operator's own come first; an Authorization or api-key among them takes the key's place. */
static void put_headers(struct buf *headers, const struct model_server *server)
{
	buf_puts(headers, server->headers);
	if (headers->len)
		buf_putc(headers, '\n');
	if (*server->key && !has_key(str_from(server->headers)))
		buf_printf(headers, "Authorization: Bearer %s\n", server->key);
	buf_puts(headers, "Content-Type: application/json\n"
			  "Accept: text/event-stream, application/json");
}

static enum status prepare(struct model_endpoint *endpoint, struct http_client *client,
			   const char *url, const char *headers)
{
	const struct http_target target = {
		.url = url,
		.headers = headers,
		.agent = "banter",
		.ca = endpoint->server->ca,
		.rehearse = true,
		.connect_ms = endpoint->server->connect_ms,
		.first_ms = endpoint->server->first_ms,
		.idle_ms = endpoint->server->idle_ms,
		.spare_ms = SPARE_MS,
		.age_ms = AGE_MS,
	};
	const char *why = "";
	enum status status = http_client_prepare(client, &target, &endpoint->http, &why);

	if (status == STATUS_FAILED)
		log_error("the address of the model server %s cannot be used: %s",
			  endpoint->server->name, why);
	return status;
}

enum status model_endpoint_init(struct model_endpoint *endpoint, struct http_client *client,
				const struct model_server *server)
{
	struct buf url, headers;
	enum status status;

	*endpoint = (struct model_endpoint){ .server = server };
	status = model_members_init(&endpoint->members, str_from(server->members));
	if (status)
		return status;
	buf_init(&url, URL_CAP);
	buf_init(&headers, HEADERS_CAP);
	put_url(&url, server->url);
	put_headers(&headers, server);
	status = buf_check(&url) || buf_check(&headers) ? STATUS_NOMEM : STATUS_OK;
	if (status == STATUS_OK)
		status = prepare(endpoint, client, buf_text(&url), buf_text(&headers));
	buf_clear(&url);
	buf_wipe(&headers);
	return status;
}

void model_endpoint_clear(struct model_endpoint *endpoint)
{
	http_prepared_clear(&endpoint->http);
	model_members_clear(&endpoint->members);
	*endpoint = (struct model_endpoint){ .server = NULL };
}
