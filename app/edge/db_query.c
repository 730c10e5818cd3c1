/* Putting a statement and its values together, for db.c to send. */
#include "edge/db_query.h"

#include <inttypes.h>
#include <stdio.h>

void db_query_init(struct db_query *query, const char *name, const char *sql)
{
	query->name = name;
	query->sql = sql;
	query->count = 0;
	query->time_left = query->until = -1;
	query->keep = false;
	query->patient_until = 0;
	query->refusal = NULL;
	query->refusal_size = 0;
}

void db_query_keep(struct db_query *query)
{
	query->keep = true;
}

void db_query_patient(struct db_query *query, int64_t until)
{
	query->patient_until = until;
}

void db_take_refusal(struct db_query *query, char *words, size_t size)
{
	query->refusal = words;
	query->refusal_size = size;
}

static struct db_value *add(struct db_query *query)
{
	struct db_value *value = &query->values[query->count++];

	*value = (struct db_value){ 0 };
	return value;
}

void db_add_text(struct db_query *query, struct str text)
{
	struct db_value *value = add(query);

	value->bytes = text;
	value->raw = true;
}

void db_add_input(struct db_query *query, const char *text)
{
	add(query)->bytes = str_from(text);
}

void db_add_integer(struct db_query *query, int64_t number)
{
	struct db_value *value = add(query);

	snprintf(value->number, sizeof(value->number), "%" PRId64, number);
	value->bytes = str_from(value->number);
}

void db_add_boolean(struct db_query *query, bool truth)
{
	add(query)->bytes = truth ? STR("t") : STR("f");
}

void db_add_null(struct db_query *query)
{
	add(query);
}

void db_add_time_left(struct db_query *query)
{
	query->time_left = query->count;
	add(query);
}

void db_add_until(struct db_query *query)
{
	query->until = query->count;
	add(query);
}
