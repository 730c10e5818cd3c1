/*
 * chat/model_reasoning and _markers.  However a text is cut, what is left of it is the same; nothing
 * is added or put elsewhere; and of a text without the bytes that marks begin with nothing is lost.
 * A first byte says the mode, whether it can be taken back, whether the answer ended at its limit
 * and how long one may be.
 */
#include "fuzz.h"

#include "chat/model_reasoning.h"

#define SIZE_MOST 4096

static enum status take(void *context, struct str text)
{
	struct buf *left = context;

	if (text.p) {
		must(text.n > 0);
		buf_str(left, text);
	} else {
		must(left->len > 0);
		buf_reset(left);
	}
	return STATUS_OK;
}

static enum status read_all(struct model_reasoning *reasoning, struct str text, enum fuzz_cut cut,
			    bool limit, struct buf *left)
{
	uint64_t seed = fuzz_seed(text);
	struct str rest = text, piece;

	buf_reset(left);
	model_reasoning_reset(reasoning);
	if (cut == FUZZ_CUTS)
		must(model_reasoning_feed(reasoning, text, take, left) == STATUS_OK);
	while (cut != FUZZ_CUTS && rest.n) {
		piece = fuzz_piece(&rest, cut, &seed);
		must(model_reasoning_feed(reasoning, piece, take, left) == STATUS_OK);
		fuzz_free(piece);
	}
	return model_reasoning_end(reasoning, limit, take, left);
}

/* True if all of `part` stands in `text`, in its order. */
static bool stands_in(struct str part, struct str text)
{
	size_t i, n = 0;

	for (i = 0; i < text.n && n < part.n; i++)
		n += text.p[i] == part.p[n];
	return n == part.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum model_reasoning_mode modes[] = {
		MODEL_REASONING_REMOVE,
		MODEL_REASONING_REMOVE,
		MODEL_REASONING_BEGINS,
		MODEL_REASONING_KEEP,
	};
	struct model_reasoning reasoning;
	struct buf whole, other;
	enum status status;
	enum fuzz_cut cut;
	bool limit, lone, plain = true;
	struct str text;
	size_t i;

	if (!size || size > SIZE_MOST)
		return 0;
	text = fuzz_copy((struct str){ (const char *)data + 1, size - 1 });
	model_reasoning_init(&reasoning, *data & 16 ? 64 : SIZE_MOST);
	reasoning.mode = modes[*data & 3];
	reasoning.whole = *data & 4;
	limit = *data & 8;
	buf_init(&whole, SIZE_MOST);
	buf_init(&other, SIZE_MOST);

	status = read_all(&reasoning, text, FUZZ_CUTS, limit, &whole);
	must(status == STATUS_OK || (status == STATUS_NOMEM && (*data & 16)));
	must(stands_in(buf_view(&whole), text));
	lone = reasoning.lone;
	for (cut = 0; cut < FUZZ_CUTS; cut++) {
		must(read_all(&reasoning, text, cut, limit, &other) == status);
		must(reasoning.lone == lone);
		must(str_equal(buf_view(&other), buf_view(&whole)));
	}
	for (i = 0; i < text.n; i++)
		plain &= !strchr("<[\xe2", text.p[i] ? text.p[i] : 'x');
	if (status == STATUS_OK &&
	    (reasoning.mode == MODEL_REASONING_KEEP ||
	     (plain && (reasoning.mode == MODEL_REASONING_REMOVE || !limit))))
		must(str_equal(buf_view(&whole), text));
	buf_clear(&whole);
	buf_clear(&other);
	model_reasoning_clear(&reasoning);
	fuzz_free(text);
	return 0;
}
