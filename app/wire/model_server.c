/* Which models a server has. */
#include "wire/model_server.h"

bool model_server_serves(const struct model_server *server, struct str model, struct str *theirs)
{
	struct str list = str_from(server->models), item, ours;

	*theirs = model;
	if (!list.n)
		return true;
	while (str_next(&list, ',', &item)) {
		str_next(&item, '=', &ours);
		if (!str_equal(ours, model))
			continue;
		*theirs = item.p ? item : ours;
		return true;
	}
	return false;
}
