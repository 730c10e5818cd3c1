/* Streams, and what a model makes of them wherever their bytes are cut. */
#ifndef STUB_STREAMS_H
#define STUB_STREAMS_H

#include "stub_model.h"

struct stream {
	struct str bytes;
	enum status status;
	const char *text;   /* its deltas joined by '|' */
	const char *reason; /* NULL: none */
	int64_t in, out;
};

static inline void assert_answer(const struct stream *stream, const struct model *model,
				 const struct answer *answer)
{
	const char *reason = stream->reason;

	if (answer->status != stream->status || strcmp(answer->text, stream->text) != 0)
		print_error("stream: %s\n", stream->bytes.p);
	assert_int_equal(answer->status, stream->status);
	assert_string_equal(answer->text, stream->text);
	assert_same(model_finish_reason(model), str_from(reason ? reason : ""));
	assert_int_equal(model_finish_reason(model).p != NULL, reason != NULL);
	assert_int_equal(model_tokens_in(model), stream->in);
	assert_int_equal(model_tokens_out(model), stream->out);
}

static inline void play_cut_in_two(struct model *model, const struct stream *stream)
{
	struct str all = stream->bytes;
	struct answer answer;
	size_t cut;

	for (cut = 0; cut <= all.n; cut++) {
		const struct stub_piece two[] = {
			{ .bytes = { all.p, cut } },
			{ .bytes = str_skip(all, cut), .ended = true },
		};

		play(model, two, 2, &answer);
		assert_answer(stream, model, &answer);
	}
}

static inline void play_in_pieces(struct model *model, const struct stream *stream)
{
	struct str all = stream->bytes;
	struct stub_piece *pieces = calloc(all.n + 1, sizeof(*pieces));
	struct answer answer;
	size_t size, at, n;

	assert_non_null(pieces);
	for (size = 1; size < 40; size++) {
		for (n = 0, at = 0; at < all.n; at += size, n++)
			pieces[n] = (struct stub_piece){
				.bytes = { all.p + at, size < all.n - at ? size : all.n - at },
			};
		/* Its end is told with no bytes. */
		pieces[n++] = (struct stub_piece){ .bytes = STR(""), .ended = true };
		play(model, pieces, n, &answer);
		assert_answer(stream, model, &answer);
	}
	free(pieces);
}

static inline void play_everywhere(const struct stream *streams, size_t count)
{
	struct model *model = make_model();
	size_t i;

	for (i = 0; i < count; i++) {
		play_cut_in_two(model, &streams[i]);
		play_in_pieces(model, &streams[i]);
	}
	model_free(model);
}

#endif
