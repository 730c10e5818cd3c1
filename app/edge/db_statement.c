/* Which pieces a statement is sent in, and what each gave. Sent by edge/db_pieces. */
#include "edge/db_statement.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "edge/db_failure.h"
#include "edge/db_internal.h"

/* What is sent: most often the statement alone, with what is still to be found out once a connection. */
static void list_pieces(struct db *db)
{
	struct db_pieces *pieces = &db->pieces;
	bool alone = db->held, look = db->prepared.keeper == DB_KEEPER_UNKNOWN || !db->clock_known,
	     try = db->prepared.keeper == DB_KEEPER_DOUBTED && db->query->keep,
	     begin = !alone && (!db->plain || try || look);

	*pieces = (struct db_pieces){ 0 };
	if (!alone && PQtransactionStatus(db->conn) == PQTRANS_INERROR)
		db_pieces_add(pieces, DB_PIECE_ROLLBACK);
	if (begin)
		db_pieces_add(pieces, DB_PIECE_BEGIN);
	if (begin && look)
		db_pieces_add(pieces, DB_PIECE_LOOK);
	if (db->named && db->named->stale)
		db_pieces_add(pieces, DB_PIECE_FORGET);
	if (db->named && (db->named->stale || !db->named->there))
		db_pieces_add(pieces, DB_PIECE_PREPARE);
	db_pieces_add(pieces, DB_PIECE_QUERY);
	if (begin)
		db_pieces_add(pieces, DB_PIECE_COMMIT);
	if (begin && try) {
		db_pieces_add(pieces, DB_PIECE_TRY);
		db_pieces_add(pieces, DB_PIECE_TRY_SEEN);
		db_pieces_add(pieces, DB_PIECE_TRY_END);
	}
}

enum status db_statement_send(struct db *db)
{
	int64_t lock_ms, until = 0;
	bool sent;

	db->sent_at = clock_ms();
	db->pieces = (struct db_pieces){ 0 };
	db->named = NULL;
	if (db->query) {
		/* What is in the middle of a transaction could not be sent again. */
		if (!db->held && !db->unnamed)
			db->named = db_prepared_find(&db->prepared, db->query);
		list_pieces(db);
		lock_ms = db_lock_ms(db->deadline - db->sent_at);
		if (db->clock_known && !db->unnamed)
			until = db->clock_at + db->sent_at + lock_ms;
		sent = db_pieces_send(&db->pieces, db->conn, db->query,
				      db->named ? db->named->name : NULL, lock_ms, until);
	} else {
		sent = PQsendQuery(db->conn, db->script);
	}
	db->state = DB_SENDING;
	return sent ? STATUS_OK : STATUS_UNAVAILABLE;
}

static void take_look(struct db *db, const PGresult *result)
{
	db->plain = strcmp(PQgetvalue(result, 0, 0), DB_LEVEL) == 0;
	db_prepared_look(&db->prepared, atoi(PQgetvalue(result, 0, 1)) == PQbackendPID(db->conn));
	/* It read its clock somewhat later: so nothing is late that is not. */
	db->clock_at = (int64_t)(strtod(PQgetvalue(result, 0, 2), NULL) * 1000) - db->sent_at;
	db->clock_known = true;
}

/* Not done, since by the server's clock nobody waits for it: but we do. */
static void take_late(struct db *db)
{
	log_debug("%s: sent again, the server's clock is another than it was", db->name);
	db->clock_known = false;
	db->again = true;
}

static void take_done(struct db *db, enum db_piece piece)
{
	if (piece == DB_PIECE_PREPARE)
		db->named->there = true;
	else if (piece == DB_PIECE_FORGET)
		db->named->there = db->named->stale = false;
}

static void take_result(struct db *db, PGresult *result)
{
	enum db_piece piece = db_pieces_next(&db->pieces);

	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
		if (piece == DB_PIECE_LOOK) {
			take_look(db, result);
		} else if (piece == DB_PIECE_TRY_SEEN) {
			db_prepared_tried(&db->prepared, PQntuples(result) > 0);
		} else if (db->query && db->query->until >= 0 && !PQntuples(result) &&
			   !db->unnamed) {
			take_late(db);
		} else {
			PQclear(db->result);
			db->result = result;
			return;
		}
		break;
	case PGRES_COMMAND_OK:
		take_done(db, piece);
		break;
	case PGRES_PIPELINE_ABORTED: /* behind the one that failed */
	case PGRES_EMPTY_QUERY:
		break;
	default:
		if (piece >= DB_PIECE_TRY && piece < DB_PIECES)
			db_prepared_tried(&db->prepared, true);
		else if (db->failed == STATUS_OK)
			db_failure_note(db, result);
	}
	PQclear(result);
}

enum status db_statement_step(struct db *db, bool *done)
{
	PGresult *result;
	int left;

	if (db->state == DB_SENDING) {
		left = PQflush(db->conn);
		if (left < 0)
			return db_failure_lost(db);
		if (left == 0) {
			db->state = DB_READING;
			return STATUS_OK; /* nobody has answered yet */
		}
	}
	if (!PQconsumeInput(db->conn))
		return db_failure_lost(db);
	while (!PQisBusy(db->conn)) {
		result = PQgetResult(db->conn);
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			*done = PQexitPipelineMode(db->conn) == 1;
			return *done ? STATUS_OK : db_failure_lost(db);
		}
		if (result) {
			take_result(db, result);
		} else if (db->pieces.count > 1) {
			/* Behind the last one is the pipeline's end, or libpq had no memory to say so. */
			if (++db->pieces.at > db->pieces.count)
				return db_failure_lost(db);
		} else {
			*done = true;
			break;
		}
	}
	return STATUS_OK;
}
