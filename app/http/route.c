/* The table of paths. */
#include "http/route.h"

#include <string.h>

#include "base/count.h"

static const struct route routes[] = {
	{ "/health", "GET, HEAD", health, REPLY_HEADLESS },
	{ "/v1/chat", "POST", headless_chat, REPLY_HEADLESS },
	{ "/v1/chat/stream", "POST", headless_stream, REPLY_HEADLESS },
	{ "/chat", "POST", headless_stream, REPLY_HEADLESS },
	{ "/api/v1/chatbots/*/chat", "POST", chatbot_chat, REPLY_CHATBOT },
};

static bool matches(const char *pattern, struct str path, struct str *variable)
{
	const char *star = strchr(pattern, '*');
	struct str head, tail;

	*variable = STR_NONE;
	if (!star)
		return str_equal(path, str_from(pattern));
	head = (struct str){ pattern, (size_t)(star - pattern) };
	tail = str_from(star + 1);
	if (!str_starts(path, head) || path.n <= head.n + tail.n)
		return false;
	*variable = (struct str){ path.p + head.n, path.n - head.n - tail.n };
	return str_equal(str_skip(path, head.n + variable->n), tail) &&
	       !memchr(variable->p, '/', variable->n);
}

const struct route *route_find(struct str path, struct str *variable)
{
	size_t i;

	for (i = 0; i < COUNT(routes); i++)
		if (path.p && matches(routes[i].path, path, variable))
			return &routes[i];
	return NULL;
}

bool route_allows(const struct route *route, struct str method)
{
	struct str methods = str_from(route->methods);

	while (methods.n)
		if (str_equal(str_cut(&methods, STR(", ")), method))
			return true;
	return false;
}

enum reply_api route_api(struct str path)
{
	return path.p && str_starts(path, STR("/api/")) ? REPLY_CHATBOT : REPLY_HEADLESS;
}
