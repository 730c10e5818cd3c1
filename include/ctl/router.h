/* A router, made and brought up to date. */
#ifndef CTL_ROUTER_H
#define CTL_ROUTER_H

#include "cli/command.h"
#include "edge/db.h"

struct router {
	const char *owner;     /* of its functions, and of the schemas of its partitions */
	const char *role;      /* the application's; NULL: none is named */
	const char *interface; /* what its partitions have: banter.interface(), of one of them */
	const char
		*addresses; /* its partitions', a JSON array of strings; NULL: as it knows them */
};

/*
 * That it may be made here: by a superuser, in a database that is empty or a router. CLI_DONE or
 * CLI_FAILED (said).
 */
int router_look(struct db *db);
/* Makes its functions, all or none. CLI_DONE or CLI_FAILED (said). */
int router_make(struct db *db, const struct router *router);

#endif
