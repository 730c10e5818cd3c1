/*
 * chat/model_token beside wire/json and chat/model_chunk: whichever of them reads a chunk, the pieces of text that come
 * of it, the results and what is known of the answer are the same, byte for byte.  Lines of an input are events' data;
 * read once as they are, and once with a member before them that hands them to the parser.  A first byte says whether
 * several choices were asked for, and how reasoning is taken.
 */
#include "fuzz.h"

#include "chat/model_answer.h"
#include "chat/model_token.h"

#define SIZE_MOST 65536

struct reading {
	struct model_answer answer;
	struct buf pieces; /* each behind its length */
	enum status status;
};

static enum status take(void *context, struct str text)
{
	struct buf *pieces = context;

	buf_printf(pieces, "%zu%c", text.n, text.p ? ':' : '!');
	buf_str(pieces, text);
	return STATUS_OK;
}

static struct str inside(struct str line)
{
	return str_skip(line, (size_t)((const char *)memchr(line.p, '{', line.n) - line.p) + 1);
}

static bool is_object(struct str line)
{
	line = str_trim(line, STR_SPACE);
	return line.n && *line.p == '{';
}

/* The same object to the parser; to model_token one that it leaves alone. */
static void put_line(struct buf *out, struct str line, bool disguised)
{
	struct str rest, first;

	buf_puts(out, "data: ");
	if (disguised && is_object(line)) {
		rest = inside(line);
		first = str_trim(rest, STR_SPACE);
		buf_append(out, line.p, line.n - rest.n);
		buf_puts(out, first.n && *first.p == '}' ? "\"\\u0078\":0" : "\"\\u0078\":0,");
		line = rest;
	}
	buf_str(out, line);
	buf_puts(out, "\n\n");
}

static void read_all(struct reading *reading, struct str text, unsigned how, bool disguised)
{
	struct model_answer *answer = &reading->answer;
	struct model_token_frame frame = { .before = 0 };
	struct model_token token;
	struct str rest = text, line, event;
	struct buf out;

	buf_init(&reading->pieces, 16 * SIZE_MOST);
	buf_init(&out, 4 * SIZE_MOST);
	model_answer_init(answer, SIZE_MOST);
	answer->reasoning.mode = (enum model_reasoning_mode)(how / 2 % 3);
	model_answer_reset(answer, how & 1);
	reading->status = STATUS_OK;
	while (rest.n && !reading->status) {
		line = str_cut(&rest, STR("\n"));
		buf_reset(&out);
		put_line(&out, line, disguised);
		must(buf_check(&out) == STATUS_OK);
		event = fuzz_copy(buf_view(&out));
		if (disguised && is_object(line))
			must(!model_token_read(str_trim(str_skip(event, 6), STR_SPACE), how & 1,
					       &frame, &token));
		reading->status = model_answer_feed(answer, event, take, &reading->pieces);
		fuzz_free(event);
	}
	if (!reading->status)
		reading->status = model_answer_end(answer, false, take, &reading->pieces);
	buf_clear(&out);
	must(buf_check(&reading->pieces) == STATUS_OK);
}

static void same(const struct reading *a, const struct reading *b)
{
	must(a->status == b->status && a->answer.cause == b->answer.cause);
	must(str_equal(buf_view(&a->pieces), buf_view(&b->pieces)));
	must(str_equal(buf_view(&a->answer.reason), buf_view(&b->answer.reason)));
	must(a->answer.several == b->answer.several && a->answer.done == b->answer.done);
	must(a->answer.whole == b->answer.whole && a->answer.spoke == b->answer.spoke);
	must(a->answer.tokens_in == b->answer.tokens_in);
	must(a->answer.tokens_out == b->answer.tokens_out);
	must(a->answer.tokens_cached == b->answer.tokens_cached);
	must(model_reasoning_only(&a->answer.reasoning) ==
	     model_reasoning_only(&b->answer.reasoning));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading as_sent, disguised;
	struct str text;

	if (size < 2 || size > SIZE_MOST)
		return 0;
	text = (struct str){ (const char *)data + 1, size - 1 };
	read_all(&as_sent, text, data[0], false);
	read_all(&disguised, text, data[0], true);
	same(&as_sent, &disguised);
	model_answer_clear(&as_sent.answer);
	model_answer_clear(&disguised.answer);
	buf_clear(&as_sent.pieces);
	buf_clear(&disguised.pieces);
	return 0;
}
