/* What a router knows of its partitions. */
#include "ops/shards.h"

#include "ops/call.h"

enum status ops_shards_owner(struct ops *ops, struct db_rows **out)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	/* Seen from outside: it works where nothing of it is there. */
	db_query_init(&query, "shards",
		      "select (select pg_get_userbyid(n.nspowner) from pg_namespace n"
		      " where n.nspname = 'banter_shards')");
	status = ops_call(ops, &query, &rows);
	if (status == STATUS_OK && !db_rows_text(rows, 0, 0).p)
		status = ops_refuse(
			ops, STATUS_REFUSED,
			STR("this database is no router; banterctl shards make makes one"));
	if (status == STATUS_OK)
		*out = rows;
	else
		db_rows_free(rows);
	return status;
}

static enum status ask(struct ops *ops, const char *sql, struct db_rows **out)
{
	struct db_rows *owner = NULL;
	struct db_query query;
	enum status status = ops_shards_owner(ops, &owner);

	db_rows_free(owner);
	db_query_init(&query, "shards", sql);
	return status ? status : ops_call(ops, &query, out);
}

enum status ops_shards_map(struct ops *ops, struct db_rows **out)
{
	return ask(ops, "select partition, address from banter_data.map() order by partition", out);
}

enum status ops_shards_interface(struct ops *ops, struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "shards", "select banter.interface()");
	return ops_call(ops, &query, out);
}

enum status ops_shards_states(struct ops *ops, const char *of, struct db_rows **out)
{
	(void)of;
	return ask(ops,
		   "select partition, workspaces, version, fault, address, moving"
		   " from banter_data.partition_states() order by partition",
		   out);
}
