/* banterctl shards …: a router, and the partitions behind it. deploy/scale says what for. */
#include "ctl/shards.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "chat/store.h"
#include "cli/call.h"
#include "cli/query.h"
#include "cli/rows.h"
#include "ctl/router.h"
#include "ctl/schema.h"
#include "ctl/shards_address.h"
#include "ctl/shards_move.h"
#include "edge/db.h"
#include "ops/shards.h"
#include "ops/shards_move.h"
#include "wire/frame.h"

#define MAP_CAP (4 << 20)
#define MOST 1024 /* partitions */

static int look_at_addresses(const struct cli_call *call)
{
	int i;

	if (call->count > MOST || (call->count & (call->count - 1)))
		return cli_say(CLI_WRONG, "shards make: %d partitions are no power of two up to %d",
			       call->count, MOST);
	for (i = 0; i < call->count; i++)
		if (shards_address_look("shards make", call->arguments[i],
					"host=db1 dbname=banter_0") != CLI_DONE)
			return CLI_WRONG;
	return CLI_DONE;
}

static int migrate_one(const struct cli_call *call, const struct router *router,
		       const char *address, int number)
{
	struct buf full;
	int code = shards_address_put(address, router->owner, &full);

	if (code == CLI_DONE) {
		printf("partition %d\n", number);
		fflush(stdout);
		code = schema_migrate(call, buf_text(&full), router->role);
	}
	if (code != CLI_DONE)
		cli_say(code, "partition %d is not up to date, nor are those behind it", number);
	buf_clear(&full);
	return code;
}

/* What one of them has: they are all of one version by then. */
static int learn_interface(const struct cli_call *call, const struct router *router,
			   const char *address, struct db_rows **out)
{
	struct ops there = { .db = NULL };
	struct buf full;
	int code = shards_address_put(address, router->owner, &full);

	if (code == CLI_DONE)
		code = cli_open_at(call, buf_text(&full), &there);
	if (code == CLI_DONE)
		code = cli_ended(call, &there, ops_shards_interface(&there, out));
	cli_close(&there);
	buf_clear(&full);
	return code;
}

/*
 * One partition after the other, the router last: while some are new and some are not, it calls what
 * both have, since what workers of the release before call stays for one release.
 */
static int bring_up(const struct cli_call *call, struct ops *ops, struct router *router,
		    const char *const *addresses, int count)
{
	struct db_rows *interface = NULL;
	int code = router_look(ops->db), i;

	if (code == CLI_DONE)
		code = cli_ended(call, ops, ops_move_none(ops));
	for (i = 0; code == CLI_DONE && i < count; i++)
		code = migrate_one(call, router, addresses[i], i);
	if (code == CLI_DONE)
		code = learn_interface(call, router, addresses[0], &interface);
	router->interface = db_rows_text(interface, 0, 0).p;
	if (code == CLI_DONE)
		code = router_make(ops->db, router);
	db_rows_free(interface);
	if (code == CLI_DONE)
		printf("the router has version %d, partitions: %d\n", STORE_SCHEMA_VERSION, count);
	return code;
}

static int run_make(const struct cli_call *call)
{
	const char *owner = cli_value(call, "--owner");
	struct router router = { .role = cli_value(call, "--role") };
	struct db_rows *self = NULL;
	struct db_query query;
	struct ops ops = { .db = NULL };
	struct buf map;
	int code = look_at_addresses(call), i;

	if (code != CLI_DONE)
		return code;
	buf_init(&map, MAP_CAP);
	for (i = 0; i < call->count; i++) {
		buf_putc(&map, i ? ',' : '[');
		frame_quote(&map, str_from(call->arguments[i]));
	}
	buf_putc(&map, ']');
	router.addresses = buf_text(&map);
	code = buf_check(&map) ? cli_say(CLI_FAILED, "no memory") : cli_open(call, &ops);
	db_query_init(&query, "shards", "select current_user");
	if (code == CLI_DONE)
		code = cli_query(ops.db, &query, &self);
	router.owner = owner ? owner : db_rows_text(self, 0, 0).p;
	if (code == CLI_DONE)
		code = bring_up(call, &ops, &router, (const char *const *)call->arguments,
				call->count);
	db_rows_free(self);
	cli_close(&ops);
	buf_clear(&map);
	return code;
}

static int run_migrate(const struct cli_call *call)
{
	struct router router = { .role = cli_value(call, "--role") };
	struct db_rows *owner = NULL, *map = NULL;
	const char *addresses[MOST] = { NULL };
	struct ops ops;
	int code = cli_open(call, &ops), i;

	if (code == CLI_DONE)
		code = cli_ended(call, &ops, ops_shards_owner(&ops, &owner));
	if (code == CLI_DONE)
		code = cli_ended(call, &ops, ops_shards_map(&ops, &map));
	for (i = 0; i < db_rows_count(map) && i < MOST; i++)
		addresses[i] = db_rows_text(map, i, 1).p;
	router.owner = db_rows_text(owner, 0, 0).p;
	if (code == CLI_DONE)
		code = bring_up(call, &ops, &router, addresses, i);
	db_rows_free(owner);
	db_rows_free(map);
	cli_close(&ops);
	return code;
}

static int run_check(const struct cli_call *call)
{
	struct db_rows *rows = NULL;
	struct ops ops;
	int code = cli_open(call, &ops), row;
	int64_t workspaces = 0;
	struct str fault, moving;

	if (code == CLI_DONE)
		code = cli_ended(call, &ops, ops_shards_states(&ops, NULL, &rows));
	for (row = 0; row < db_rows_count(rows); row++) {
		fault = db_rows_text(rows, row, OPS_SHARDS_FAULT);
		moving = db_rows_text(rows, row, OPS_SHARDS_MOVING);
		workspaces += db_rows_integer(rows, row, OPS_SHARDS_WORKSPACES, 0);
		if (moving.p)
			printf("partition %d is moving %.*s\n", row, STR_ARGS(moving));
		if (fault.p)
			code = cli_say(CLI_FAILED, "partition %d (%.*s): %.*s", row,
				       STR_ARGS(db_rows_text(rows, row, OPS_SHARDS_ADDRESS)),
				       STR_ARGS(fault));
	}
	if (code == CLI_DONE)
		printf("%d partitions, %" PRId64 " workspaces: all of them are found\n", row,
		       workspaces);
	db_rows_free(rows);
	cli_close(&ops);
	return code;
}

static const struct cli_option make_options[] = {
	{ "--owner", "NAME", "the role that owns the partitions' schemas; else who you are" },
	{ "--role", "NAME", "the role the application connects as" },
	{ .name = NULL },
};

static const struct cli_option migrate_options[] = {
	{ "--role", "NAME", "the role the application connects as" },
	{ .name = NULL },
};

static const struct cli_option move_options[] = {
	{ "--cancel", NULL, "take it back, as long as the partition is where it was" },
	{ .name = NULL },
};

const struct cli_command ctl_shards_commands[] = {
	{ .name = "shards make",
	  .arguments = "ADDRESS…",
	  .least = 1,
	  .most = -1,
	  .meaning = "Makes the database a router: workspaces are spread over the databases named",
	  .more = "An ADDRESS is a database of a server, as libpq's keywords say it, without a "
		  "user. "
		  "Their number\n"
		  "is a power of two and stays. Each is brought up to this version first. What is "
		  "there already\n"
		  "stays where it is. It may be run again.",
	  .example = "shards make 'host=db1 dbname=banter_0' 'host=db2 dbname=banter_1'",
	  .options = make_options,
	  .run = run_make },
	{ .name = "shards show",
	  .arguments = "",
	  .meaning = "Shows a router's partitions: where they are, and how they are",
	  .example = "shards show",
	  .flags = CLI_PRINTS,
	  .run = cli_run_table,
	  .rows = ops_shards_states },
	{ .name = "shards check",
	  .arguments = "",
	  .meaning = "Says what is wrong with a router's partitions",
	  .more = "It ends with 1 if one is away, is of another version or read-only, has "
		  "workspaces that the\nrouter does not find there, or a move that nobody goes on "
		  "with.",
	  .example = "shards check",
	  .run = run_check },
	{ .name = "shards migrate",
	  .arguments = "",
	  .meaning = "Brings a router and its partitions up to this version, one by one",
	  .more = "It may be run at any time, and again: requests go on meanwhile. The router "
		  "comes "
		  "last.",
	  .example = "shards migrate --role banter_app",
	  .options = migrate_options,
	  .run = run_migrate },
	{ .name = "shards move",
	  .arguments = "PARTITION [ADDRESS]",
	  .least = 1,
	  .most = 2,
	  .meaning = "Moves a partition to another database, while it is used",
	  .more = "The database is there and empty. All is copied and followed first; then the "
		  "partition's calls\nwait for an instant, and go to the new place. Cut off, it is "
		  "run again, and goes on.",
	  .example = "shards move 2 'host=db3 dbname=banter_2'",
	  .options = move_options,
	  .run = shards_move_run },
	{ .name = NULL },
};
