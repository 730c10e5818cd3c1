/*
 * banterctl shards move: a partition on its way to another server, by logical replication. The router
 * remembers whereto (banter_data.moving), and each step bears being done again: who was killed at any
 * of them is followed by another run, from the first step on.
 *
 * What counts is the order of the switch. The partition's calls wait at the router; nothing is written
 * at the old place; the new one has all of it, and follows no more; then the map is changed, which
 * lets the calls go, and then the old place is shut. Nobody waits for longer than HOLD_MS: what is not
 * ready by then is tried again later. The servers see to that themselves if we stand still.
 */
#include "ctl/shards_move.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "chat/store.h"
#include "cli/call.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "ctl/router.h"
#include "ctl/schema.h"
#include "ctl/shards_address.h"
#include "ops/shards.h"
#include "ops/shards_move.h"

/* Well below BANTER_DATABASE_TIME (2.5 s): who waited is still served. */
#define HOLD_MS 1000
#define HOLD_POLL_MS 3
/* A statement of the switch; the servers wait for no lock for as long. */
#define SWITCH_CALL_MS 5000
#define TRIES 100
#define PAUSE_MS 500
#define PAUSE_MOST_MS 10000
#define POLL_MS 200
#define NUMBER_MOST 4 /* digits */
/* For the new place to have what the old one had when it was asked. */
#define BEHIND_MS 30000

struct shard_move {
	const struct cli_call *call;
	const char *partition; /* its number */
	struct ops router,
		attended; /* the second keeps a transaction open, which says that we are at it */
	struct ops hold;  /* the router's calls */
	struct ops source, still; /* the second keeps it still */
	struct ops target;
	struct db_rows *owner, *self, *state;
	const char *from, *to; /* their addresses */
	struct buf source_address, target_address,
		owner_address; /* of a superuser; of the owner at the target */
	bool begun, switched, fenced;
};

static void pause_ms(int64_t ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static int ended(const struct shard_move *move, const struct ops *ops, enum status status)
{
	return cli_ended(move->call, ops, status);
}

/* A connection for the switch, where nobody may be waited for. NULL: the router's. */
static int open_hasty(const struct shard_move *move, const char *address, struct ops *out)
{
	int code = cli_open_at(move->call, address, out);

	out->patience_ms = SWITCH_CALL_MS;
	return code;
}

static int open_router(struct shard_move *move)
{
	struct db_query query;
	int code = cli_open(move->call, &move->router);

	if (code == CLI_DONE)
		code = ended(move, &move->router, ops_shards_owner(&move->router, &move->owner));
	if (code == CLI_DONE)
		code = router_look(move->router.db);
	db_query_init(&query, "shards move", "select current_user");
	if (code == CLI_DONE)
		code = cli_query(move->router.db, &query, &move->self);
	if (code == CLI_DONE)
		code = cli_open(move->call, &move->attended);
	if (code == CLI_DONE)
		code = ended(move, &move->attended,
			     ops_move_attend(&move->attended, move->partition));
	if (code == CLI_DONE)
		code = open_hasty(move, NULL, &move->hold);
	return code;
}

/* Where it is, and where to. */
static int look(struct shard_move *move)
{
	const char *given = move->call->count > 1 ? move->call->arguments[1] : NULL;
	int code;

	if (given &&
	    shards_address_look("shards move", given, "host=db3 dbname=banter_2") != CLI_DONE)
		return CLI_WRONG;
	code = ended(move, &move->router,
		     ops_move_look(&move->router, move->partition, given, &move->state));
	if (code != CLI_DONE)
		return code;
	move->to = db_rows_text(move->state, 0, OPS_MOVE_TARGET).p;
	move->begun = move->to;
	move->switched = db_rows_boolean(move->state, 0, OPS_MOVE_SWITCHED);
	move->from =
		db_rows_text(move->state, 0, move->begun ? OPS_MOVE_SOURCE : OPS_MOVE_ADDRESS).p;
	if (given && move->begun && !str_equal(str_from(given), str_from(move->to)))
		return cli_say(
			CLI_FAILED,
			"partition %s is moving to %s: banterctl shards move %s goes on with "
			"that, and with --cancel takes it back",
			move->partition, move->to, move->partition);
	if (!move->begun)
		move->to = given;
	return CLI_DONE;
}

/* As who we are at the router, in the three places alike. */
static int open_places(struct shard_move *move)
{
	const char *self = db_rows_text(move->self, 0, 0).p;
	int code = shards_address_put(move->from, self, &move->source_address);

	if (code == CLI_DONE)
		code = shards_address_put(move->to, self, &move->target_address);
	if (code == CLI_DONE)
		code = shards_address_put(move->to, db_rows_text(move->owner, 0, 0).p,
					  &move->owner_address);
	if (code == CLI_DONE)
		code = cli_open_at(move->call, buf_text(&move->source_address), &move->source);
	if (code == CLI_DONE)
		code = open_hasty(move, buf_text(&move->source_address), &move->still);
	if (code == CLI_DONE)
		code = cli_open_at(move->call, buf_text(&move->target_address), &move->target);
	return code;
}

/* The target is a partition like the source, without rows. */
static int make_target(struct shard_move *move)
{
	const char *owner = db_rows_text(move->owner, 0, 0).p, *role = NULL;
	struct db_rows *like = NULL;
	int code = ended(move, &move->source,
			 ops_move_look_source(&move->source, STORE_SCHEMA_VERSION, &like));

	if (code == CLI_DONE) {
		role = db_rows_text(like, 0, OPS_MOVE_ROLE).p;
		code = ended(move, &move->target,
			     ops_move_look_target(&move->target, owner, role,
						  db_rows_text(like, 0, OPS_MOVE_ENCODING).p,
						  db_rows_text(like, 0, OPS_MOVE_COLLATION).p,
						  move->begun));
	}
	if (code == CLI_DONE && !move->begun)
		code = ended(move, &move->router,
			     ops_move_begin(&move->router, move->partition, move->to));
	if (code == CLI_DONE) {
		move->begun = true;
		code = schema_migrate(move->call, buf_text(&move->owner_address), role);
	}
	db_rows_free(like);
	return code;
}

static int follow(struct shard_move *move)
{
	struct db_rows *slot = NULL;
	int code = ended(move, &move->source, ops_move_publish(&move->source, &slot));

	if (code == CLI_DONE)
		code = ended(move, &move->target,
			     ops_move_subscribe(&move->target, buf_text(&move->source_address),
						db_rows_text(slot, 0, 0).p));
	db_rows_free(slot);
	return code;
}

/* What cannot be copied is tried again by the server itself. */
static int await_copy(struct shard_move *move)
{
	int64_t tables = 0, copied = -1, errors = 0, now;
	struct db_rows *rows = NULL;
	int code = CLI_DONE;

	while (code == CLI_DONE && copied < tables) {
		code = ended(move, &move->target, ops_move_copied(&move->target, &rows));
		copied = db_rows_integer(rows, 0, OPS_MOVE_COPIED, 0);
		tables = db_rows_integer(rows, 0, OPS_MOVE_TABLES, 0);
		now = db_rows_integer(rows, 0, OPS_MOVE_ERRORS, 0);
		db_rows_free(rows);
		rows = NULL;
		progress_show("tables copied", copied, tables);
		if (now > errors && errors == 0)
			cli_say(CLI_FAILED, "copying fails and is tried again: the log at %s says",
				move->to);
		errors = now;
		if (code == CLI_DONE && copied < tables)
			pause_ms(POLL_MS);
	}
	progress_end();
	if (code == CLI_DONE)
		code = ended(move, &move->target, ops_move_analyze(&move->target));
	if (code == CLI_DONE)
		printf("%" PRId64 " tables are copied\n", tables);
	fflush(stdout);
	return code;
}

static enum status await_position(struct shard_move *move, const struct db_rows *position,
				  int64_t until, bool *reached)
{
	enum status status = STATUS_OK;

	*reached = false;
	while (status == STATUS_OK && !*reached && clock_ms() < until) {
		status = ops_move_reached(&move->target, db_rows_text(position, 0, OPS_MOVE_LSN).p,
					  reached);
		if (status == STATUS_OK && !*reached)
			pause_ms(HOLD_POLL_MS);
	}
	return status;
}

/* While the calls wait: the new place has everything, and is what the partition will be. */
static int settle(struct shard_move *move, int64_t until, const char **why)
{
	struct db_rows *position = NULL;
	bool reached = false;
	int code = ended(move, &move->source, ops_move_position(&move->source, &position));

	if (code == CLI_DONE)
		code = ended(move, &move->target, await_position(move, position, until, &reached));
	if (code == CLI_DONE && reached)
		code = ended(move, &move->target,
			     ops_move_settle(&move->target,
					     db_rows_text(position, 0, OPS_MOVE_SEQUENCES).p,
					     db_rows_text(position, 0, OPS_MOVE_SUM).p));
	if (!reached || clock_ms() > until)
		*why = "the new place does not have all of it in time";
	db_rows_free(position);
	return code;
}

/*
 * One try. *why NULL and CLI_DONE: it is switched. Where the answer to the last word is lost it may be
 * too, and nothing is touched any more: another run finds out.
 */
static int try_switch(struct shard_move *move, const char **why)
{
	int64_t began = clock_ms(), until = began + HOLD_MS;
	bool held = false, still = false;
	int code = ended(move, &move->hold, ops_move_hold(&move->hold, move->partition, &held));

	*why = held ? NULL : "a call under way takes too long";
	if (code == CLI_DONE && held)
		code = ended(move, &move->still, ops_move_still(&move->still, &still));
	if (held && !still)
		*why = "somebody writes to the old place, not by way of the router";
	if (code == CLI_DONE && still)
		code = settle(move, until, why);
	if (code == CLI_DONE && !*why) /* has not been given up meanwhile */
		code = ended(move, &move->still, ops_move_ready(&move->still));
	if (code == CLI_DONE && !*why) {
		code = ended(move, &move->hold, ops_move_switch(&move->hold, move->partition));
		move->switched = code == CLI_DONE;
		if (move->switched)
			printf("partition %s is switched; its calls waited for %" PRId64
			       " ms at most\n",
			       move->partition, clock_ms() - began);
	} else if (held) {
		ops_move_release(&move->hold);
	}
	fflush(stdout);
	if (move->switched)
		move->fenced = ops_move_fence(&move->still, move->to) == STATUS_OK;
	else if (still)
		ops_move_release(&move->still);
	return code;
}

/* Near enough that the rest takes an instant; all that the switch needs is connected. */
static int come_near(struct shard_move *move, const char **why)
{
	struct db_rows *position = NULL;
	bool reached = false;
	int code = follow(move); /* which a try before this one may have ended */

	if (code == CLI_DONE)
		code = ended(move, &move->hold, ops_move_ready(&move->hold));
	if (code == CLI_DONE)
		code = ended(move, &move->still, ops_move_ready(&move->still));
	if (code == CLI_DONE)
		code = ended(move, &move->source, ops_move_position(&move->source, &position));
	if (code == CLI_DONE)
		code = ended(move, &move->target,
			     await_position(move, position, clock_ms() + BEHIND_MS, &reached));
	*why = reached ? NULL : "the new place is behind";
	db_rows_free(position);
	return code;
}

static int switch_over(struct shard_move *move)
{
	int64_t pause = PAUSE_MS;
	const char *why = NULL;
	int code, i;

	for (i = 0; i < TRIES; i++) {
		code = come_near(move, &why);
		if (code == CLI_DONE && !why)
			code = try_switch(move, &why);
		if (code != CLI_DONE || !why)
			return code;
		printf("not yet, and tried again: %s\n", why);
		fflush(stdout);
		pause_ms(pause);
		pause = clock_earlier(2 * pause, PAUSE_MOST_MS);
	}
	return cli_say(CLI_FAILED,
		       "partition %s was not switched: %s; its new place goes on "
		       "following it",
		       move->partition, why);
}

/* Nothing is written to the old place any more, and neither knows of the other. */
static int clear_up(struct shard_move *move)
{
	int code = CLI_DONE, i;
	bool still = false;

	for (i = 0; code == CLI_DONE && !move->fenced && i < TRIES; i++) {
		code = ended(move, &move->still, ops_move_still(&move->still, &still));
		if (code == CLI_DONE && still)
			code = ended(move, &move->still, ops_move_fence(&move->still, move->to));
		move->fenced = code == CLI_DONE && still;
		if (!move->fenced)
			pause_ms(PAUSE_MS);
	}
	if (code == CLI_DONE && !move->fenced)
		code = cli_say(CLI_FAILED, "somebody writes to %s all the time", move->from);
	if (code == CLI_DONE)
		code = ended(move, &move->target, ops_move_unsubscribe(&move->target));
	if (code == CLI_DONE)
		code = ended(move, &move->source, ops_move_unpublish(&move->source));
	if (code == CLI_DONE)
		code = ended(move, &move->router, ops_move_end(&move->router, move->partition));
	if (code == CLI_DONE)
		printf("partition %s is at %s; nobody writes to %s any more: that database may be "
		       "dropped\n",
		       move->partition, move->to, move->from);
	return code;
}

static int go_on(struct shard_move *move)
{
	int code;

	if (!move->to)
		return cli_say(CLI_WRONG, "shards move: partition %s is at %s: say where to",
			       move->partition, move->from);
	if (!move->begun && str_equal(str_from(move->to), str_from(move->from))) {
		printf("partition %s is at %s\n", move->partition, move->to);
		return CLI_DONE;
	}
	code = open_places(move);
	if (code == CLI_DONE && !move->switched)
		code = make_target(move);
	if (code == CLI_DONE && !move->switched)
		code = follow(move);
	if (code == CLI_DONE && !move->switched)
		code = await_copy(move);
	if (code == CLI_DONE && !move->switched)
		code = switch_over(move);
	if (code == CLI_DONE)
		code = clear_up(move);
	if (code != CLI_DONE && move->begun)
		cli_say(code, "partition %s has not finished its move: run it again%s",
			move->partition, move->switched ? "" : ", or with --cancel");
	return code;
}

/* The new place may be gone for good, and takes nothing back then. */
static int cancel(struct shard_move *move)
{
	int code;

	if (!move->begun)
		return cli_say(CLI_FAILED, "partition %s is not moving", move->partition);
	if (move->switched)
		return cli_say(CLI_FAILED,
			       "partition %s is at %s already: banterctl shards move %s clears up, "
			       "and another move takes it back",
			       move->partition, move->to, move->partition);
	code = open_places(move);
	if (code == CLI_DONE && (ops_move_unsubscribe(&move->target) != STATUS_OK ||
				 ops_move_clear(&move->target) != STATUS_OK))
		cli_say(CLI_FAILED, "%s is left as it is: drop that database", move->to);
	if (code == CLI_DONE)
		code = ended(move, &move->source, ops_move_unpublish(&move->source));
	if (code == CLI_DONE)
		code = ended(move, &move->router, ops_move_end(&move->router, move->partition));
	if (code == CLI_DONE)
		printf("partition %s stays at %s\n", move->partition, move->from);
	return code;
}

int shards_move_run(const struct cli_call *call)
{
	struct shard_move move = { .call = call, .partition = call->arguments[0] };
	int code = CLI_DONE;

	if (!*move.partition || strlen(move.partition) > NUMBER_MOST ||
	    move.partition[strspn(move.partition, "0123456789")])
		code = cli_say(CLI_WRONG, "shards move: %s is no partition's number",
			       move.partition);
	if (code == CLI_DONE)
		code = open_router(&move);

	if (code == CLI_DONE)
		code = look(&move);
	if (code == CLI_DONE)
		code = cli_value(call, "--cancel") ? cancel(&move) : go_on(&move);
	cli_close(&move.target);
	cli_close(&move.still);
	cli_close(&move.source);
	cli_close(&move.hold);
	cli_close(&move.attended);
	cli_close(&move.router);
	buf_clear(&move.owner_address);
	buf_clear(&move.target_address);
	buf_clear(&move.source_address);
	db_rows_free(move.state);
	db_rows_free(move.self);
	db_rows_free(move.owner);
	return code;
}
