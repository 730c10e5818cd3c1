/* The statements of a partition's move; ctl/shards_move says in which order. */
#include "ops/shards_move.h"

#include "base/clock.h"
#include "ops/call.h"

#define NAME "shards move"
#define BEGIN "begin isolation level read committed"

/* What two databases of one partition have in common, and is known at once. */
#define SUM                                                                                        \
	"(select format('%s workspaces with %s credits, %s of them active', count(*),"             \
	" sum(w.credits), count(*) filter (where w.active)) from banter_data.workspace w)"

/* Either may be there or not: what was broken off, or goes the other way, is cleared up too. */
#define IF_MADE(function)                                                                          \
	"do $$ begin if to_regproc('banter_data." function "') is not null then"                   \
	" perform banter_data." function "(); end if; end $$"

/* With up to two values (NULL: none). */
static enum status ask(struct ops *ops, const char *sql, const char *value, const char *other,
		       struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, NAME, sql);
	if (value)
		db_add_input(&query, value);
	if (other)
		db_add_input(&query, other);
	return ops_call(ops, &query, out);
}

static enum status run(struct ops *ops, const char *script)
{
	return db_script(ops->db, NAME, script, clock_ms() + ops->patience_ms, NULL);
}

static enum status ask_boolean(struct ops *ops, const char *sql, const char *value, bool *out)
{
	struct db_rows *rows = NULL;
	enum status status = ask(ops, sql, value, NULL, &rows);

	if (status == STATUS_OK)
		*out = db_rows_boolean(rows, 0, 0);
	db_rows_free(rows);
	return status;
}

/* A statement whose first column says what is wrong, where there is anything. */
static enum status look(struct ops *ops, struct db_query *query, struct db_rows **out)
{
	struct db_rows *rows = NULL;
	enum status status = ops_call(ops, query, &rows);

	if (status == STATUS_OK && db_rows_text(rows, 0, 0).p)
		status = ops_refuse(ops, STATUS_REFUSED, db_rows_text(rows, 0, 0));
	if (status == STATUS_OK && out)
		*out = rows;
	else
		db_rows_free(rows);
	return status;
}

/* A transaction that begins with a question and goes on where its answer is yes. */
static enum status begin(struct ops *ops, const char *sql, const char *value, bool *out)
{
	enum status status = run(ops, BEGIN);

	*out = false;
	db_hold(ops->db, status == STATUS_OK);
	if (status == STATUS_OK)
		status = ask_boolean(ops, sql, value, out);
	if (status || !*out)
		ops_move_release(ops);
	return status;
}

static enum status commit(struct ops *ops, enum status status)
{
	if (status == STATUS_OK)
		status = run(ops, "commit");
	db_hold(ops->db, false);
	return status;
}

void ops_move_release(struct ops *ops)
{
	enum status status = run(ops, "rollback"); /* else it went with its connection */

	(void)status;
	db_hold(ops->db, false);
}

enum status ops_move_ready(struct ops *ops)
{
	return run(ops, "select 1");
}

enum status ops_move_attend(struct ops *ops, const char *partition)
{
	bool ours;
	enum status status =
		begin(ops, "select banter_data.move_attend(p_partition => $1)", partition, &ours);

	return status || ours ? status
			      : ops_refuse(ops, STATUS_REFUSED,
					   STR("another banterctl is moving this partition"));
}

enum status ops_move_look(struct ops *ops, const char *partition, const char *target,
			  struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, NAME,
		      "select * from banter_data.move_look(p_partition => $1, p_target => $2)");
	db_add_input(&query, partition);
	db_add_input(&query, target);
	return ops_call(ops, &query, out);
}

enum status ops_move_begin(struct ops *ops, const char *partition, const char *target)
{
	return ask(ops, "select banter_data.move_begin(p_partition => $1, p_target => $2)",
		   partition, target, NULL);
}

enum status ops_move_hold(struct ops *ops, const char *partition, bool *held)
{
	return begin(ops, "select banter_data.move_hold(p_partition => $1)", partition, held);
}

enum status ops_move_switch(struct ops *ops, const char *partition)
{
	return commit(ops, ask(ops, "select banter_data.move_switch(p_partition => $1)", partition,
			       NULL, NULL));
}

enum status ops_move_end(struct ops *ops, const char *partition)
{
	return ask(ops, "delete from banter_data.moving v where v.partition = $1", partition, NULL,
		   NULL);
}

/* It is asked of what is to become a router, too. */
enum status ops_move_none(struct ops *ops)
{
	struct db_query query;
	bool any = false;
	enum status status = ask_boolean(
		ops, "select to_regclass('banter_data.moving') is not null", NULL, &any);

	db_query_init(&query, NAME,
		      "select format('partition %s is moving: banterctl shards move %1$s goes on"
		      " with it, and with --cancel takes it back', min(v.partition))"
		      " from banter_data.moving v having count(*) > 0");
	return status || !any ? status : look(ops, &query, NULL);
}

enum status ops_move_look_source(struct ops *ops, int version, struct db_rows **out)
{
	struct db_query query;

	db_query_init(
		&query, NAME,
		"select case"
		" when not r.rolsuper then format('%I is no superuser where the partition is: who"
		" moves one is a superuser there, where it moves to, and at the router', r.rolname)"
		" when v.version <> $1 then format('the partition has version %s, this program %s:"
		" banterctl shards migrate comes first', v.version, $1)"
		" when current_setting('wal_level') <> 'logical' then format('the server that it is"
		" at has wal_level = %s: alter system set wal_level = ''logical'', and restart it',"
		"  current_setting('wal_level'))"
		" when s.own = 0 and s.used >= current_setting('max_replication_slots')::integer"
		"  then 'the server that it is at has no replication slot left: raise"
		" max_replication_slots and restart it'"
		" end,"
		" (select string_agg(distinct a.grantee::regrole::text, ',') from pg_proc p"
		"  cross join aclexplode(p.proacl) a where p.pronamespace = 'banter'::regnamespace"
		"  and a.grantee not in (0, p.proowner)),"
		" current_setting('server_encoding'), d.datcollate || ' ' || d.datctype"
		" from pg_roles r"
		" cross join (select banter.schema_version() as version) v"
		" cross join (select count(*) as used, count(*) filter ("
		"  where slot_name = banter_data.move_slot()) as own from pg_replication_slots) s"
		" join pg_database d on d.datname = current_database()"
		" where r.rolname = current_user");
	db_add_integer(&query, version);
	return look(ops, &query, out);
}

enum status ops_move_publish(struct ops *ops, struct db_rows **out)
{
	enum status status = ask(ops, "select banter_data.move_publish()", NULL, NULL, NULL);

	if (status == STATUS_OK)
		status = ask(ops,
			     "select pg_create_logical_replication_slot(n, 'pgoutput')"
			     " from banter_data.move_slot() n where not exists ("
			     " select from pg_replication_slots s where s.slot_name = n)",
			     NULL, NULL, NULL);
	return status ? status : ask(ops, "select banter_data.move_slot()", NULL, NULL, out);
}

enum status ops_move_still(struct ops *ops, bool *still)
{
	return begin(ops, "select banter_data.move_still()", NULL, still);
}

/* What was committed without waiting for the disk is not told to who follows before it is there. */
enum status ops_move_position(struct ops *ops, struct db_rows **out)
{
	return ask(ops,
		   "select case when set_config('synchronous_commit', 'on', true) is not null"
		   " then pg_logical_emit_message(true, 'banter', 'move') end,"
		   " (select json_object_agg(q.sequencename, q.last_value) from pg_sequences q"
		   "  where q.schemaname = 'banter_data')," SUM,
		   NULL, NULL, out);
}

enum status ops_move_fence(struct ops *ops, const char *target)
{
	return commit(
		ops, ask(ops, "select banter_data.move_fence(p_target => $1)", target, NULL, NULL));
}

enum status ops_move_unpublish(struct ops *ops)
{
	return run(ops, IF_MADE("move_unpublish"));
}

enum status ops_move_look_target(struct ops *ops, const char *owner, const char *role,
				 const char *encoding, const char *collation, bool begun)
{
	struct db_query query;

	db_query_init(
		&query, NAME,
		"select case"
		" when not r.rolsuper then format('%I is no superuser where the partition moves"
		" to: a subscription is made by one', r.rolname)"
		" when pg_is_in_recovery() then 'where it moves to is a standby'"
		" when not $5 and coalesce(to_regnamespace('banter'),"
		"  to_regnamespace('banter_data')) is not null then 'where it moves to is not "
		"empty:"
		" there is a schema of Banter''s in that database'"
		" when current_setting('server_encoding') <> $3 or d.datcollate || ' ' || "
		"d.datctype"
		"  <> $4 then format('where it moves to is a database of another encoding or"
		" collation (%s, %s %s) than the partition''s (%s, %s)',"
		"  current_setting('server_encoding'), d.datcollate, d.datctype, $3::text, "
		"$4::text)"
		" when n.missing is not null then format('where it moves to there is no role %s',"
		"  n.missing)"
		" when not has_database_privilege($1::name, current_database(), 'create') then"
		"  format('where it moves to, %I may make no schema in that database: it should own"
		" it', $1::name)"
		" end"
		" from pg_roles r join pg_database d on d.datname = current_database()"
		" cross join (select string_agg(quote_ident(w), ', ') as missing"
		"  from unnest($1::text || string_to_array($2, ',')) w"
		"  where not exists (select from pg_roles o where o.rolname = w)) n"
		" where r.rolname = current_user");
	db_add_input(&query, owner);
	db_add_input(&query, role);
	db_add_input(&query, encoding);
	db_add_input(&query, collation);
	db_add_boolean(&query, begun);
	return look(ops, &query, NULL);
}

enum status ops_move_subscribe(struct ops *ops, const char *source, const char *slot)
{
	return ask(ops, "select banter_data.move_subscribe(p_source => $1, p_slot => $2)", source,
		   slot, NULL);
}

enum status ops_move_copied(struct ops *ops, struct db_rows **out)
{
	return ask(ops,
		   "select count(*) filter (where t.srsubstate = 'r'), count(*),"
		   " min(e.apply_error_count + e.sync_error_count)"
		   " from (select banter_data.move_subscription() as oid) s"
		   " left join pg_subscription_rel t on t.srsubid = s.oid"
		   " left join pg_stat_subscription_stats e on e.subid = s.oid"
		   " where s.oid is not null",
		   NULL, NULL, out);
}

enum status ops_move_analyze(struct ops *ops)
{
	return run(ops, "analyze");
}

/* Changes come in the order of their commits, and are made one after the other. */
enum status ops_move_reached(struct ops *ops, const char *lsn, bool *reached)
{
	return ask_boolean(ops,
			   "select coalesce(bool_or(a.received_lsn >= $1::pg_lsn), false)"
			   " from pg_stat_subscription a"
			   " where a.subid = banter_data.move_subscription() and a.relid is null",
			   lsn, reached);
}

enum status ops_move_settle(struct ops *ops, const char *sequences, const char *sum)
{
	struct db_query query;
	enum status status;

	db_query_init(&query, NAME,
		      "select format('the new place has %s, the old one %s: nothing was switched',"
		      " n, $1::text) from " SUM " f (n) where n <> $1");
	db_add_input(&query, sum);
	status = look(ops, &query, NULL);
	return status ? status
		      : ask(ops, "select banter_data.move_settle(p_sequences => $1)", sequences,
			    NULL, NULL);
}

enum status ops_move_unsubscribe(struct ops *ops)
{
	return run(ops, IF_MADE("move_unsubscribe"));
}

enum status ops_move_clear(struct ops *ops)
{
	return run(ops, "drop schema if exists banter, banter_data cascade");
}
