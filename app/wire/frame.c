/* JSON out.  Rests on buf alone: no tree is built, an event is written where it is sent from. */
#include "wire/frame.h"

#include "base/hot.h"
#include "base/swar.h"
#include "base/utf8.h"

static HOT void put_name(struct frame *frame, const char *name)
{
	buf_puts(frame->out, frame->first ? "\"" : ",\"");
	buf_puts(frame->out, name);
	buf_puts(frame->out, "\":");
	frame->first = false;
}

HOT void frame_begin(struct frame *frame, struct buf *out, enum frame_style style)
{
	*frame = (struct frame){ .out = out, .style = style, .first = true };
	buf_puts(out, style == FRAME_SSE ? "data: {" : "{");
}

HOT void frame_end(struct frame *frame)
{
	static const char *const ends[] = {
		[FRAME_JSON] = "}",
		[FRAME_NDJSON] = "}\n",
		[FRAME_SSE] = "}\n\n",
	};

	buf_puts(frame->out, ends[frame->style]);
}

HOT void frame_string(struct frame *frame, const char *name, struct str value)
{
	put_name(frame, name);
	frame_quote(frame->out, value);
}

HOT void frame_one(struct buf *out, enum frame_style style, const char *name, struct str value)
{
	struct frame frame;

	frame_begin(&frame, out, style);
	frame_string(&frame, name, value);
	frame_end(&frame);
}

void frame_integer(struct frame *frame, const char *name, int64_t value)
{
	put_name(frame, name);
	buf_printf(frame->out, "%lld", (long long)value);
}

void frame_boolean(struct frame *frame, const char *name, bool value)
{
	put_name(frame, name);
	buf_puts(frame->out, value ? "true" : "false");
}

HOT void frame_raw(struct frame *frame, const char *name, struct str json)
{
	put_name(frame, name);
	buf_str(frame->out, json);
}

HOT void frame_members(struct frame *frame, struct str members)
{
	if (!frame->first)
		buf_putc(frame->out, ',');
	buf_str(frame->out, members);
	frame->first = false;
}

void frame_open(struct frame *frame, const char *name)
{
	put_name(frame, name);
	buf_putc(frame->out, '{');
	frame->first = true;
}

void frame_close(struct frame *frame)
{
	buf_putc(frame->out, '}');
	frame->first = false;
}

void frame_open_array(struct frame *frame, const char *name)
{
	put_name(frame, name);
	buf_putc(frame->out, '[');
	frame->first = true;
}

void frame_open_element(struct frame *frame)
{
	buf_puts(frame->out, frame->first ? "{" : ",{");
	frame->first = true;
}

void frame_close_array(struct frame *frame)
{
	buf_putc(frame->out, ']');
	frame->first = false;
}

static bool must_escape(uint32_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
	       c == 0x2029;
}

static inline uint64_t special_ones(uint64_t word)
{
	return swar_below(word, 0x20) | swar_equal(word, '"') | swar_equal(word, '\\') |
	       swar_equal(word, 0x7f) | swar_beyond(word);
}

/* Where what is plain from `at` on ends: most of a text is, and tokens come this way. */
static size_t skip_plain(struct str text, size_t at)
{
	static const bool special[256] = {
		[0x00 ... 0x1f] = true,
		['"'] = true,
		['\\'] = true,
		[0x7f ... 0xff] = true,
	};

	at = swar_skip(text.p, at, text.n, special_ones);
	while (at < text.n && !special[(unsigned char)text.p[at]])
		at++;
	return at;
}

static void put_escape(struct buf *out, uint32_t code)
{
	static const char letters[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',  ['\f'] = 'f',
		['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\',
	};
	char text[2] = { '\\', code < sizeof(letters) ? letters[code] : '\0' };

	if (text[1])
		buf_append(out, text, 2);
	else
		buf_printf(out, "\\u%04x", (unsigned)code);
}

HOT void frame_quote(struct buf *out, struct str value)
{
	size_t run = 0, n;
	uint32_t c = 0;

	buf_putc(out, '"');
	for (;;) {
		run = skip_plain(value, run);
		if (run == value.n)
			break;
		n = utf8_character(str_skip(value, run), &c);
		if (!n || !must_escape(c)) {
			run += n ? n : 1;
			continue;
		}
		buf_append(out, value.p, run);
		put_escape(out, c);
		value = str_skip(value, run + n);
		run = 0;
	}
	buf_append(out, value.p, run);
	buf_putc(out, '"');
}
