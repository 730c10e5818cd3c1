/*
 * A statement with what goes before and behind it, into libpq's pipeline.  What is said there is a
 * table.
 */
#include "edge/db_pieces.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>

#define DAY_MS 86400000
#define JULIAN_1970 2440588 /* PostgreSQL: B.7, Julian Dates; UNIX_EPOCH_JDATE */

#define TRIED "banter_try"
#define HAS_TRIED "from pg_catalog.pg_prepared_statements where name = '" TRIED "'"

/* NULL: made for the statement. */
static const char *const words[DB_PIECES] = {
	[DB_PIECE_ROLLBACK] = "rollback",
	[DB_PIECE_BEGIN] = "begin isolation level " DB_LEVEL,
	[DB_PIECE_LOOK] = "select current_setting('default_transaction_isolation'), "
			  "pg_backend_pid(), extract(epoch from clock_timestamp())",
	[DB_PIECE_COMMIT] = "commit",
	[DB_PIECE_TRY_SEEN] = "select " HAS_TRIED,
	/* By a pooler's own name there is nothing to take back. */
	[DB_PIECE_TRY_END] = "do $$begin if exists (select " HAS_TRIED ") then deallocate " TRIED
			     "; end if; end$$",
};

/*
 * As PostgreSQL reads a time, which costs it less than to make one of a number; by the Julian day, so
 * that libc's time zones stay unread, a page of each worker's own.
 */
static void write_until(char *text, size_t size, int64_t until)
{
	int64_t day = until / DAY_MS + JULIAN_1970;
	int ms = (int)(until % DAY_MS);

	if (until)
		snprintf(text, size, "J%" PRId64 " %02d:%02d:%02d.%03d+00", day, ms / 3600000,
			 ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
	else
		snprintf(text, size, "infinity");
}

static bool send_query(PGconn *conn, const struct db_query *query, const char *name,
		       int64_t lock_ms, int64_t until)
{
	const char *values[DB_MAX_VALUES];
	int lengths[DB_MAX_VALUES], formats[DB_MAX_VALUES], i;
	char lock[DB_NUMBER_SIZE], end[80];

	for (i = 0; i < query->count; i++) {
		values[i] = query->values[i].bytes.p;
		lengths[i] = (int)query->values[i].bytes.n;
		formats[i] = query->values[i].raw;
	}
	if (query->time_left >= 0) {
		snprintf(lock, sizeof(lock), "%" PRId64, lock_ms);
		values[query->time_left] = lock;
	}
	if (query->until >= 0) {
		write_until(end, sizeof(end), until);
		values[query->until] = end;
	}
	if (name)
		return PQsendQueryPrepared(conn, name, query->count, values, lengths, formats, 0);
	return PQsendQueryParams(conn, query->sql, query->count, NULL, values, lengths, formats, 0);
}

static bool send_words(PGconn *conn, const char *sql)
{
	return PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0);
}

static bool send_forget(PGconn *conn, const char *name)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "deallocate \"%s\"", name);
	return send_words(conn, sql);
}

static bool send_piece(enum db_piece piece, PGconn *conn, const struct db_query *query,
		       const char *name, int64_t lock_ms, int64_t until)
{
	switch (piece) {
	case DB_PIECE_QUERY:
		return send_query(conn, query, name, lock_ms, until);
	case DB_PIECE_PREPARE:
		return PQsendPrepare(conn, name, query->sql, 0, NULL);
	case DB_PIECE_FORGET:
		return send_forget(conn, name);
	case DB_PIECE_TRY:
		return PQsendPrepare(conn, TRIED, "select 1", 0, NULL);
	default:
		return send_words(conn, words[piece]);
	}
}

bool db_pieces_send(const struct db_pieces *pieces, PGconn *conn, const struct db_query *query,
		    const char *name, int64_t lock_ms, int64_t until)
{
	bool many = pieces->count > 1, sent = !many || PQenterPipelineMode(conn);
	int i;

	for (i = 0; sent && i < pieces->count; i++)
		sent = send_piece(pieces->all[i], conn, query, name, lock_ms, until);
	return sent && (!many || PQpipelineSync(conn));
}
