/* Names of statements, and who keeps them.  Rests on base/siphash for the names. */
#include "edge/db_prepared.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/siphash.h"

#define PAUSE_MS 60000

/* SQLSTATEs (PostgreSQL's appendix A). */
#define NO_SUCH_STATEMENT "26000"
#define EXISTS_ALREADY "42P05"
#define NOT_SUPPORTED "0A000" /* "cached plan must not change result type" */

void db_prepared_look(struct db_prepared *prepared, bool own)
{
	if (prepared->keeper == DB_KEEPER_UNKNOWN)
		prepared->keeper = own ? DB_KEEPER_SERVER : DB_KEEPER_DOUBTED;
}

void db_prepared_tried(struct db_prepared *prepared, bool seen)
{
	prepared->keeper = seen ? DB_KEEPER_NONE : DB_KEEPER_POOLER;
}

/* The same text has the same name everywhere: a key would be another one in each process. */
static void name_it(struct db_prepared_one *one, const struct db_query *query)
{
	static const uint64_t key[2];
	struct siphash hash = siphash_of(key, str_from(query->sql));

	one->sql = query->sql;
	snprintf(one->name, sizeof(one->name), "banter_%.32s_%016" PRIx64, query->name, hash.low);
}

struct db_prepared_one *db_prepared_find(struct db_prepared *prepared, const struct db_query *query)
{
	bool kept = prepared->keeper == DB_KEEPER_SERVER || prepared->keeper == DB_KEEPER_POOLER;
	int i;

	if (!query->keep || !kept || clock_ms() < prepared->pause_until)
		return NULL;
	for (i = 0; i < DB_PREPARED; i++) {
		if (!prepared->all[i].sql)
			name_it(&prepared->all[i], query);
		if (prepared->all[i].sql == query->sql)
			return &prepared->all[i];
	}
	return NULL;
}

bool db_prepared_failed(struct db_prepared *prepared, struct db_prepared_one *one,
			const char *state)
{
	int i;

	if (strcmp(state, NO_SUCH_STATEMENT) == 0)
		for (i = 0; i < DB_PREPARED; i++) /* as after `discard all` */
			prepared->all[i].there = prepared->all[i].stale = false;
	else if (strcmp(state, EXISTS_ALREADY) == 0)
		one->there = true;
	else if (strcmp(state, NOT_SUPPORTED) == 0)
		/* A pooler's own name is nothing that we could take back. */
		one->stale = one->there && prepared->keeper == DB_KEEPER_SERVER;
	else
		return false;
	prepared->pause_until = clock_ms() + PAUSE_MS;
	return true;
}
