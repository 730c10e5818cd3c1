/* The table of paths. What a request does with what it finds is serve.c's. */
#include "http/route.h"

#include <string.h>

#include "base/count.h"
#include "http/agui.h"
#include "http/attach.h"
#include "http/chatbot.h"
#include "http/deep_chat.h"
#include "http/description.h"
#include "http/exchange.h"
#include "http/headless.h"
#include "http/health.h"
#include "http/n8n.h"
#include "http/openai.h"
#include "http/shown.h"
#include "http/talks.h"
#include "http/ui.h"
#include "http/web.h"

static const struct route routes[] = {
	{ "/health", "GET, HEAD", health_serve, &dialect_headless, ROUTE_STATUS },
	{ "/metrics", "GET, HEAD", shown_serve, &dialect_headless, ROUTE_STATUS | ROUTE_SHOWS },
	{ "/status", "GET, HEAD", shown_serve, &dialect_headless, ROUTE_STATUS | ROUTE_SHOWS },
	{ "/v1/openapi.json", "GET, HEAD", description_serve, &dialect_headless, 0 },
	{ "/banter.js", "GET, HEAD", web_serve_loader, &dialect_headless, 0 },
	{ "/banter/{version}/{file}", "GET, HEAD", web_serve_file, &dialect_headless, 0 },
	{ "/v1/chat", "POST", exchange_serve, &dialect_headless, ROUTE_WHOLE | ROUTE_VISITORS },
	{ "/v1/chat/stream", "POST", exchange_serve, &dialect_headless,
	  ROUTE_STREAM | ROUTE_VISITORS },
	{ "/chat", "POST", exchange_serve, &dialect_headless, ROUTE_STREAM | ROUTE_VISITORS },
	{ "/v1/chat/conversations", "GET, HEAD", talks_serve_list, &dialect_headless,
	  ROUTE_VISITORS },
	{ "/v1/chat/conversations/{conversation}", "DELETE", talks_serve_delete, &dialect_headless,
	  ROUTE_VISITORS },
	{ "/v1/chat/conversations/{conversation}/messages", "GET, HEAD", talks_serve_messages,
	  &dialect_headless, ROUTE_VISITORS },
	{ "/v1/chat/conversations/{conversation}/messages/{message}/feedback", "POST",
	  talks_serve_feedback, &dialect_headless, ROUTE_VISITORS },
	{ "/v1/chat/conversations/{conversation}/stop", "POST", talks_serve_stop, &dialect_headless,
	  ROUTE_VISITORS },
	{ "/v1/chat/conversations/{conversation}/stream", "GET", attach_serve, &dialect_headless,
	  ROUTE_VISITORS },
	{ "/v1/chat/completions", "POST", exchange_serve, &dialect_openai, 0 },
	{ "/v1/models", "GET, HEAD", openai_serve_models, &dialect_openai, 0 },
	{ "/v1/ui", "POST", exchange_serve, &dialect_ui, ROUTE_STREAM | ROUTE_VISITORS },
	{ "/v1/ag-ui", "POST", exchange_serve, &dialect_agui, ROUTE_STREAM | ROUTE_VISITORS },
	{ "/v1/deep-chat", "POST", exchange_serve, &dialect_deep_chat, ROUTE_VISITORS },
	{ "/v1/n8n", "POST", exchange_serve, &dialect_n8n, ROUTE_VISITORS },
	{ "/v1/ui/{session}/stream", "GET", ui_serve_stream, &dialect_ui,
	  ROUTE_VISITORS | ROUTE_PRIVATE },
	{ "/api/v1/chatbots/{chatbot}/chat", "POST", exchange_serve, &dialect_chatbot, 0 },
	{ "/api/v1/chatbots/{chatbot}/conversations", "GET, HEAD", talks_serve_list,
	  &dialect_chatbot, 0 },
	{ "/api/v1/chatbots/{chatbot}/conversations/{conversation}", "DELETE", talks_serve_delete,
	  &dialect_chatbot, 0 },
	{ "/api/v1/chatbots/{chatbot}/conversations/{conversation}/messages", "GET, HEAD",
	  talks_serve_messages, &dialect_chatbot, 0 },
	{ "/api/v1/chatbots/{chatbot}/conversations/{conversation}/messages/{message}/feedback",
	  "POST", talks_serve_feedback, &dialect_chatbot, 0 },
	{ "/api/v1/chatbots/{chatbot}/conversations/{conversation}/stop", "POST", talks_serve_stop,
	  &dialect_chatbot, 0 },
	{ "/api/v1/chatbots/{chatbot}/conversations/{conversation}/stream", "GET", attach_serve,
	  &dialect_chatbot, 0 },
};

/*
 * The files of deploy/ choose between those that are told apart for what a web server says itself: its
 * status is enough for clients of the others.
 */
static const struct route_prefix prefixes[] = {
	{ "/api/", &dialect_chatbot, true },
	{ "/v1/chat/completions/", &dialect_openai, false },
	{ "/v1/models/", &dialect_openai, false },
	{ "/v1/ui/", &dialect_ui, false },
	{ "/v1/ag-ui/", &dialect_agui, false },
	{ "/v1/deep-chat/", &dialect_deep_chat, false },
	{ "/v1/n8n/", &dialect_n8n, false },
	{ "", &dialect_headless, true },
};

/* Takes a "{name}" off the front of *pattern, and the segment it stands for off that of *path. */
static bool take_variable(struct str *pattern, struct str *path, struct route_match *match)
{
	const char *slash = path->n ? memchr(path->p, '/', path->n) : NULL;
	size_t n = slash ? (size_t)(slash - path->p) : path->n;

	if (n == 0 || match->count == ROUTE_VARIABLES)
		return false;
	*pattern = str_skip(*pattern, 1);
	match->variables[match->count].name = str_cut(pattern, STR("}"));
	match->variables[match->count].value = (struct str){ path->p, n };
	match->count++;
	*path = str_skip(*path, n);
	return true;
}

bool route_matches(const struct route *route, struct str path, struct route_match *match)
{
	struct str pattern = str_from(route->path);

	*match = (struct route_match){ .route = route };
	while (pattern.n) {
		if (pattern.p[0] == '{') {
			if (!take_variable(&pattern, &path, match))
				return false;
		} else if (path.n && path.p[0] == pattern.p[0]) {
			pattern = str_skip(pattern, 1);
			path = str_skip(path, 1);
		} else {
			return false;
		}
	}
	return path.n == 0;
}

bool route_find(struct str path, struct route_match *match)
{
	size_t i;

	for (i = 0; i < COUNT(routes); i++)
		if (route_matches(&routes[i], path, match))
			return true;
	return false;
}

struct str route_variable(const struct route_match *match, const char *name)
{
	size_t i;

	for (i = 0; i < match->count; i++)
		if (str_equal(match->variables[i].name, str_from(name)))
			return match->variables[i].value;
	return STR_NONE;
}

void route_name(struct str path, const struct route_match *match, struct buf *out)
{
	const struct route *route = match->route;

	buf_puts(out, route ? route->dialect->name : route_dialect(path)->name);
	buf_putc(out, ' ');
	buf_puts(out, route ? route->path : "none");
}

unsigned route_keys(const struct route *route)
{
	return route->dialect->keys | (route->flags & ROUTE_VISITORS ? KEY_SET(KEY_SITE) : 0);
}

bool route_allows(const struct route *route, struct str method)
{
	struct str methods = str_from(route->methods);

	while (methods.n)
		if (str_equal(str_cut(&methods, STR(", ")), method))
			return true;
	return false;
}

const struct route *route_at(size_t index)
{
	return index < COUNT(routes) ? &routes[index] : NULL;
}

const struct route_prefix *route_prefix_at(size_t index)
{
	return index < COUNT(prefixes) ? &prefixes[index] : NULL;
}

const struct dialect *route_dialect(struct str path)
{
	size_t i = 0;

	while (!str_starts(path, str_from(prefixes[i].prefix)))
		i++;
	return prefixes[i].dialect;
}
