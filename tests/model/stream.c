/*
 * An answer's body: how it begins, is read, and is counted. (steps.c makes its pieces.)
 */
#include "stream.h"

#include <json-c/json.h>
#include <string.h>

#include "chunk.h"

enum status stream_hold(const struct stage_set *set, const struct script *script)
{
	enum status status;

	if (script->hang)
		return wait_until(set->stop, set->client, MOMENT_NEVER);
	status = wait_until(set->stop, set->client, moment_now() + script->first);
	return status == STATUS_OK ? stream_gate(set, script, 0) : status;
}

/* The whole body of an answer that is no stream, cut after a token where the script says so. */
static void begin_plain(struct stream *stream)
{
	const struct script *script = stream->script;
	size_t cut = 0;
	bool cuts = false;

	for (size_t i = 0; script->raw != NULL && i < json_object_array_length(script->raw); i++)
		script_raw(script, i, &stream->piece);
	if (script->raw == NULL) {
		chunk_plain_head(&stream->piece, stream->ask);
		for (size_t i = 0; i < (size_t)script->count; i++) {
			if ((int64_t)i == script->cut_after) {
				cut = stream->piece.len;
				cuts = true;
				break;
			}
			script_content(script, i, &stream->piece);
			stream->pending++;
		}
		for (size_t i = (size_t)stream->pending; i < (size_t)script->count; i++)
			script_content(script, i, &stream->piece);
		chunk_plain_tail(&stream->piece, stream->ask, script);
	}
	stream->length = stream->piece.len;
	if (cuts)
		stream->piece.len = cut;
	stream->stage = STAGE_PLAIN;
}

enum status stream_begin(struct stream *stream, const struct stage_set *set, const struct ask *ask,
			 const struct script *script)
{
	*stream = (struct stream){ .set = *set, .ask = ask, .script = script, .due = moment_now() };
	if (!ask->stream) {
		begin_plain(stream);
	} else if (script->raw != NULL) {
		stream->stage = STAGE_RAW;
	} else {
		stream->stage = STAGE_ROLE;
		chunk_head(&stream->head, ask);
	}
	return text_ok(&stream->head) && text_ok(&stream->piece) ? STATUS_OK : STATUS_NO_MEMORY;
}

void stream_clear(struct stream *stream)
{
	text_clear(&stream->head);
	text_clear(&stream->piece);
}

void stream_settle(struct stream *stream)
{
	if (stream->pending == 0 || stream->offset < stream->piece.len)
		return;
	stream->sent += stream->pending;
	stream->pending = 0;
	records_sent(stream->set.records, stream->set.record, stream->sent);
}

enum status stream_read(struct stream *stream, char *buffer, size_t size, size_t *read)
{
	size_t rest;

	/* Silence comes before the only piece of a plain body too. */
	if (stream->stage == STAGE_PLAIN && stream->script->silence)
		return wait_until(stream->set.stop, stream->set.client, MOMENT_NEVER);
	while (stream->offset == stream->piece.len) {
		enum status status;

		stream_settle(stream);
		if (stream->stage != STAGE_PLAIN) {
			text_reset(&stream->piece);
			stream->offset = 0;
		}
		status = stream_step(stream);
		if (status != STATUS_OK)
			return status;
		if (!text_ok(&stream->piece))
			return STATUS_NO_MEMORY;
	}
	rest = stream->piece.len - stream->offset;
	if (rest > size)
		rest = size;
	if (stream->script->split > 0 && rest > (size_t)stream->script->split)
		rest = (size_t)stream->script->split;
	memcpy(buffer, stream->piece.data + stream->offset, rest);
	stream->offset += rest;
	*read = rest;
	return STATUS_OK;
}
