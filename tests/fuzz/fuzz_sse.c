/*
 * wire/sse: the same events, and the same end, wherever the bytes are cut; and they are the events that the standard's
 * text gives when it is followed line by line over the whole.
 * An input's first byte chooses the cap (its lowest two bits), the event at which the taker says no (the next two), and
 * with its highest bit a server of objects, whose events the standard does not tell.
 */
#include "fuzz.h"

#include "wire/sse.h"

#define SIZE_MOST 65536

struct taken {
	struct buf events; /* each: type, its length, data, its length */
	unsigned count;
	unsigned refuse; /* this one is refused; 0 none */
};

static enum status take(void *context, struct str type, struct str data)
{
	struct taken *taken = context;

	must(type.p && data.p);
	buf_str(&taken->events, type);
	buf_printf(&taken->events, "|%zu|", type.n);
	buf_str(&taken->events, data);
	buf_printf(&taken->events, "|%zu\n", data.n);
	return ++taken->count == taken->refuse ? STATUS_REFUSED : STATUS_OK;
}

static void taken_reset(struct taken *taken)
{
	buf_reset(&taken->events);
	taken->count = 0;
}

static enum status read_all(struct str text, bool objects, size_t cap, enum fuzz_cut cut,
			    struct taken *taken)
{
	uint64_t seed = fuzz_seed(text);
	enum status status = STATUS_OK;
	struct str rest = text, piece;
	struct sse sse;

	taken_reset(taken);
	if (objects)
		sse_init_objects(&sse, cap);
	else
		sse_init(&sse, cap);
	if (cut == FUZZ_CUTS)
		status = sse_feed(&sse, text, take, taken);
	while (cut != FUZZ_CUTS && rest.n && status == STATUS_OK) {
		piece = fuzz_piece(&rest, cut, &seed);
		status = sse_feed(&sse, piece, take, taken);
		fuzz_free(piece);
	}
	if (status == STATUS_OK)
		status = sse_end(&sse, take, taken);
	sse_clear(&sse);
	return status;
}

/* Takes a line with its end off *text. */
static struct str next_line(struct str *text)
{
	struct str line = { text->p, 0 };

	while (line.n < text->n && !strchr("\r\n", text->p[line.n] ? text->p[line.n] : 'x'))
		line.n++;
	*text = str_skip(*text, line.n);
	if (str_starts(*text, STR("\r\n")))
		*text = str_skip(*text, 2);
	else if (text->n)
		*text = str_skip(*text, 1);
	return line;
}

static bool field(struct str line, const char *name, struct str *value)
{
	if (!str_starts(line, str_from(name)))
		return false;
	line = str_skip(line, strlen(name));
	if (line.n && *line.p != ':')
		return false;
	*value = str_skip(line, str_starts(line, STR(": ")) ? 2 : line.n ? 1 : 0);
	return true;
}

/* The standard's way, on the whole. */
static void expect(struct str text, struct taken *taken)
{
	struct buf data, type;
	struct str line, value;
	bool has_data = false;

	buf_init(&data, SIZE_MOST);
	buf_init(&type, SIZE_MOST);
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_skip(text, 3);
	for (;;) {
		line = text.n ? next_line(&text) : STR("");
		if (line.n && field(line, "data", &value)) {
			buf_puts(&data, has_data ? "\n" : "");
			buf_str(&data, value);
			has_data = true;
		} else if (line.n && field(line, "event", &value)) {
			buf_reset(&type);
			buf_str(&type, value);
		} else if (!line.n) {
			if (has_data)
				must(take(taken, buf_view(&type), buf_view(&data)) == STATUS_OK);
			buf_reset(&data);
			buf_reset(&type);
			has_data = false;
			if (!text.n)
				break;
		}
	}
	buf_clear(&data);
	buf_clear(&type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t caps[] = { SIZE_MOST, 64, 8, 0 };
	struct taken whole = { .count = 0 }, other = { .count = 0 };
	enum status status;
	enum fuzz_cut cut;
	struct str text;
	bool objects;
	size_t cap;

	if (!size || size > SIZE_MOST)
		return 0;
	cap = caps[*data & 3];
	objects = *data & 0x80;
	text = fuzz_copy((struct str){ (const char *)data + 1, size - 1 });
	buf_init(&whole.events, 32 * SIZE_MOST);
	buf_init(&other.events, 32 * SIZE_MOST);
	whole.refuse = other.refuse = *data >> 2 & 3;

	status = read_all(text, objects, cap, FUZZ_CUTS, &whole);
	must(status == STATUS_OK || status == STATUS_NOMEM || status == STATUS_REFUSED);
	must((status == STATUS_REFUSED) == (whole.refuse && whole.count == whole.refuse));
	for (cut = 0; cut < FUZZ_CUTS; cut++) {
		must(read_all(text, objects, cap, cut, &other) == status);
		must(str_equal(buf_view(&other.events), buf_view(&whole.events)));
	}
	if (cap == SIZE_MOST && !whole.refuse)
		must(status == STATUS_OK);
	if (cap == SIZE_MOST && !whole.refuse && !objects) {
		taken_reset(&other);
		expect(text, &other);
		must(str_equal(buf_view(&other.events), buf_view(&whole.events)));
	}
	must(buf_check(&whole.events) == STATUS_OK);
	buf_clear(&whole.events);
	buf_clear(&other.events);
	fuzz_free(text);
	return 0;
}
