/* Which models a server has. */
#include "wire/model_server.h"

#include <string.h>

bool model_server_serves(const struct model_server *server, struct str model, struct str *theirs)
{
	struct str left = str_from(server->models), item;
	const char *end, *equals;

	*theirs = model;
	if (!left.n)
		return true;
	while (left.n) {
		end = memchr(left.p, ',', left.n);
		item = (struct str){ left.p, end ? (size_t)(end - left.p) : left.n };
		left = str_skip(left, item.n + (end != NULL));
		equals = memchr(item.p, '=', item.n);
		*theirs = equals ? str_skip(item, (size_t)(equals - item.p) + 1) : item;
		if (equals)
			item.n = (size_t)(equals - item.p);
		if (str_equal(item, model))
			return true;
	}
	return false;
}
