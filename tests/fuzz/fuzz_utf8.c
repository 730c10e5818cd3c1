/*
 * wire/utf8: the joiner gives the same text at every cut, always valid and without U+0000, and leaves a good text
 * alone; what is valid, and what becomes of what is not, is as the standard's table says.
 */
#include "fuzz.h"

#include "oracle_utf8.h"
#include "wire/utf8.h"

/* `text` joined, in one piece or (cut below FUZZ_CUTS) in many. */
static void join(struct str text, enum fuzz_cut cut, struct buf *out)
{
	uint64_t seed = fuzz_seed(text);
	struct utf8_joiner joiner;
	struct str rest = text, piece;
	size_t from;

	buf_reset(out);
	utf8_joiner_init(&joiner);
	if (cut == FUZZ_CUTS)
		utf8_joiner_feed(&joiner, text, out);
	while (cut != FUZZ_CUTS && rest.n) {
		piece = fuzz_piece(&rest, cut, &seed);
		from = out->len;
		utf8_joiner_feed(&joiner, piece, out);
		fuzz_free(piece);
		must(utf8_valid(str_skip(buf_view(out), from), NULL)); /* valid, and whole */
	}
	must(utf8_valid(buf_view(out), NULL));
	must(joiner.n < sizeof(joiner.held));
	utf8_joiner_end(&joiner, out);
	must(buf_check(out) == STATUS_OK);
}

static void put_code(struct buf *out, uint32_t code)
{
	buf_putc(out, (char)(0xf0 | code >> 18));
	buf_putc(out, (char)(0x80 | (code >> 12 & 0x3f)));
	buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
	buf_putc(out, (char)(0x80 | (code & 0x3f)));
}

/* What the joiner must make of `text`; true if nothing had to be mended but U+0000. */
static bool mended(struct str text, struct buf *out, size_t *count)
{
	struct oracle_utf8 part, low;
	bool valid = true, surrogate;

	for (*count = 0; text.n; ++*count) {
		part = oracle_utf8(text);
		surrogate = part.whole && oracle_utf8_surrogate(part.code);
		must(utf8_length(text) == (part.whole && !surrogate ? part.n : 0));
		valid = valid && part.whole && !surrogate;
		/* Half a surrogate's bytes begin nothing: each stands alone. */
		if (!part.whole && part.n == 2 && (unsigned char)text.p[0] == 0xed &&
		    (unsigned char)text.p[1] >= 0xa0)
			part.n = 1;
		if (surrogate && part.code < 0xdc00 && text.n > part.n) {
			low = oracle_utf8(str_skip(text, part.n));
			if (low.whole && low.code >= 0xdc00 && low.code <= 0xdfff) {
				put_code(out, 0x10000 + ((part.code & 0x3ff) << 10) +
						      (low.code & 0x3ff));
				text = str_skip(text, part.n + low.n);
				continue;
			}
		}
		if (part.whole && part.code && !surrogate)
			buf_append(out, text.p, part.n);
		else
			buf_puts(out, "\xef\xbf\xbd");
		text = str_skip(text, part.n);
	}
	return valid;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = fuzz_copy((struct str){ (const char *)data, size });
	size_t count = SIZE_MAX, expected;
	struct buf whole, want, pieces;
	enum fuzz_cut cut;
	bool valid;

	buf_init(&whole, 3 * size);
	buf_init(&want, 3 * size);
	buf_init(&pieces, 3 * size);
	valid = mended(text, &want, &expected);
	must(utf8_valid(text, &count) == valid);
	must(!utf8_blank(text) || valid);
	must(utf8_blank(text) == utf8_blank(str_trim(text, STR_SPACE)));
	must(count == (valid ? expected : SIZE_MAX));

	join(text, FUZZ_CUTS, &whole);
	must(str_equal(buf_view(&whole), buf_view(&want)));
	must(!memchr(buf_text(&whole), '\0', whole.len));
	if (valid && (!size || !memchr(text.p, '\0', size)))
		must(str_equal(buf_view(&whole), text));
	for (cut = 0; cut < FUZZ_CUTS; cut++) {
		join(text, cut, &pieces);
		must(str_equal(buf_view(&pieces), buf_view(&whole)));
	}
	buf_clear(&whole);
	buf_clear(&want);
	buf_clear(&pieces);
	fuzz_free(text);
	return 0;
}
