/*
 * The steps of a streamed body: each makes the next piece, or waits, or ends it.
 */
#include "stream.h"

#include <json-c/json.h>

#include "chunk.h"

enum status stream_gate(const struct stage_set *set, const struct script *script, size_t index)
{
	const char *gate = script_gate(script, index);

	return gate != NULL ? gates_wait(set->gates, gate, set->client) : STATUS_OK;
}

/* Waits for the next token's time and gate, then says whether the script wants a fault instead. */
static enum status hold_token(struct stream *stream, size_t count)
{
	const struct script *script = stream->script;
	enum status status;

	if (stream->next > 0 && stream->next < count && script->delay > 0) {
		stream->due += script->delay;
		status = wait_until(stream->set.stop, stream->set.client, stream->due);
		if (status != STATUS_OK)
			return status;
	}
	if (script_gate(script, stream->next + 1) != NULL) {
		status = stream_gate(&stream->set, script, stream->next + 1);
		if (status != STATUS_OK)
			return status;
		stream->due = moment_now();
	}
	if ((int64_t)stream->next == script->cut_after)
		return STATUS_CUT;
	return (int64_t)stream->next == script->end_after ? STATUS_END : STATUS_OK;
}

/* One `data:` event, in the script's spelling. */
static void put_event(struct stream *stream, const struct text *data)
{
	const struct script *script = stream->script;

	text_puts(&stream->piece, script->no_space ? "data:" : "data: ");
	text_add(&stream->piece, data->data, data->len);
	stream->piece.failed = stream->piece.failed || !text_ok(data);
	text_puts(&stream->piece, script->crlf ? "\r\n\r\n" : "\n\n");
	stream->commented = false;
}

/* A chunk with these members in its delta; `finish` as JSON. */
static void put_chunk(struct stream *stream, const struct text *delta, const char *finish)
{
	struct text data = { 0 };

	text_add(&data, stream->head.data, stream->head.len);
	text_add(&data, delta->data, delta->len);
	chunk_tail(&data, stream->ask, finish);
	data.failed = data.failed || !text_ok(delta);
	put_event(stream, &data);
	text_clear(&data);
}

static enum status next_token(struct stream *stream)
{
	const struct script *script = stream->script;
	struct text delta = { 0 };
	enum status status = hold_token(stream, (size_t)script->count);

	if (status != STATUS_OK)
		return status;
	if ((int64_t)stream->next == script->error_after) {
		chunk_error(&delta, script);
		put_event(stream, &delta);
		stream->stage = STAGE_OVER;
	} else if ((int64_t)stream->next < script->count) {
		script_delta(script, stream->next, &delta);
		put_chunk(stream, &delta, "null");
		stream->next++;
		stream->pending = 1;
	} else {
		stream->stage = STAGE_FINISH;
	}
	text_clear(&delta);
	return STATUS_OK;
}

static enum status next_raw(struct stream *stream)
{
	size_t count = json_object_array_length(stream->script->raw);
	enum status status = hold_token(stream, count);

	if (status != STATUS_OK)
		return status;
	if (stream->next == count)
		return STATUS_END;
	script_raw(stream->script, stream->next++, &stream->piece);
	stream->pending = 1;
	return STATUS_OK;
}

static void put_role(struct stream *stream)
{
	struct text delta = { 0 };

	text_puts(&delta, "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null");
	put_chunk(stream, &delta, "null");
	text_clear(&delta);
	stream->stage = STAGE_TOKENS;
}

static void put_finish(struct stream *stream)
{
	struct text none = { 0 }, finish = { 0 };

	stream->stage = STAGE_USAGE;
	if (stream->script->finish == NULL)
		return;
	chunk_finish(&finish, stream->script);
	put_chunk(stream, &none, text_ok(&finish) ? finish.data : "null");
	text_clear(&finish);
}

static void put_usage(struct stream *stream)
{
	struct text data = { 0 };

	stream->stage = STAGE_DONE;
	if (!stream->ask->include_usage || stream->script->no_usage)
		return;
	chunk_usage(&data, stream->ask, stream->script, &stream->head);
	put_event(stream, &data);
	text_clear(&data);
}

static void put_done(struct stream *stream)
{
	struct text done = { 0 };

	stream->stage = STAGE_OVER;
	if (stream->script->no_done)
		return;
	text_puts(&done, "[DONE]");
	put_event(stream, &done);
	text_clear(&done);
}

/* Is there an event to come, before which a comment may stand? */
static bool wants_comment(const struct stream *stream)
{
	const struct script *script = stream->script;

	if (!script->comments || stream->commented)
		return false;
	switch (stream->stage) {
	case STAGE_ROLE:
	case STAGE_TOKENS:
		return true;
	case STAGE_FINISH:
		return script->finish != NULL;
	case STAGE_USAGE:
		return stream->ask->include_usage && !script->no_usage;
	case STAGE_DONE:
		return !script->no_done;
	default:
		return false;
	}
}

enum status stream_step(struct stream *stream)
{
	if (stream->script->silence && stream->next == 0)
		return wait_until(stream->set.stop, stream->set.client, MOMENT_NEVER);
	if (wants_comment(stream)) {
		text_puts(&stream->piece,
			  stream->script->crlf ? ": PROCESSING\r\n\r\n" : ": PROCESSING\n\n");
		stream->commented = true;
		return STATUS_OK;
	}
	switch (stream->stage) {
	case STAGE_ROLE:
		put_role(stream);
		return STATUS_OK;
	case STAGE_TOKENS:
		return next_token(stream);
	case STAGE_FINISH:
		put_finish(stream);
		return STATUS_OK;
	case STAGE_USAGE:
		put_usage(stream);
		return STATUS_OK;
	case STAGE_DONE:
		put_done(stream);
		return STATUS_OK;
	case STAGE_RAW:
		return next_raw(stream);
	case STAGE_PLAIN:
		return stream->offset < stream->length ? STATUS_CUT : STATUS_END;
	case STAGE_OVER:
		break;
	}
	return STATUS_END;
}
