/*
 * The body of one answer, piece by piece, each at its time: the chunks of a stream, raw pieces, or
 * one JSON document. It waits where the script says so, and keeps the record of what was written.
 * It knows nothing of HTTP.
 */
#ifndef MODEL_STREAM_H
#define MODEL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask.h"
#include "gates.h"
#include "record.h"
#include "script.h"
#include "status.h"
#include "text.h"

enum stage {
	STAGE_ROLE,
	STAGE_TOKENS,
	STAGE_FINISH,
	STAGE_USAGE,
	STAGE_DONE,
	STAGE_RAW,
	STAGE_PLAIN, /* all of it is in the first piece */
	STAGE_OVER,
};

/* What a stream needs of its surroundings; all borrowed, for as long as the stream lives. */
struct stage_set {
	struct gates *gates;
	struct records *records;
	uint64_t record;
	int client;
	int stop;
};

struct stream {
	struct stage_set set;
	const struct ask *ask;
	const struct script *script;
	struct text head; /* a chunk up to its delta's members */
	struct text piece;
	size_t offset;
	enum stage stage;
	size_t next; /* tokens (or raw pieces) made so far */
	bool commented;
	int64_t due;
	uint64_t sent;	  /* tokens on the wire */
	uint64_t pending; /* tokens in the current piece */
	size_t length;	  /* of a plain body; where the script cuts, the piece is shorter */
};

/* All that comes before the headers: the first_ms, gate 0, hang. STATUS_LEFT, STATUS_STOPPED. */
enum status stream_hold(const struct stage_set *set, const struct script *script) MUST_CHECK;

/* Call stream_clear in any case. */
enum status stream_begin(struct stream *stream, const struct stage_set *set, const struct ask *ask,
			 const struct script *script) MUST_CHECK;
void stream_clear(struct stream *stream);

/*
 * Copies up to `size` bytes that are due now, never of two pieces at once; what was read before
 * counts as written. STATUS_END, STATUS_CUT, STATUS_LEFT, STATUS_STOPPED, STATUS_NO_MEMORY.
 */
enum status stream_read(struct stream *stream, char *buffer, size_t size, size_t *read) MUST_CHECK;
/* Everything that was read is written: counts its tokens. */
void stream_settle(struct stream *stream);

/* steps.c, for stream.c. One step on: it may wait, and may leave the piece empty. */
enum status stream_step(struct stream *stream) MUST_CHECK;
/* Waits before the gate with this index, if there is one. */
enum status stream_gate(const struct stage_set *set, const struct script *script,
			size_t index) MUST_CHECK;

#endif
