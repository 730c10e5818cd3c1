/* JSON out.  Rests on buf alone: no tree is built, an event is written where it is sent from. */
#include "wire/frame.h"

static void put_name(struct frame *frame, const char *name)
{
	buf_puts(frame->out, frame->first ? "\"" : ",\"");
	buf_puts(frame->out, name);
	buf_puts(frame->out, "\":");
	frame->first = false;
}

void frame_begin(struct frame *frame, struct buf *out, enum frame_style style)
{
	*frame = (struct frame){ .out = out, .style = style, .first = true };
	buf_puts(out, style == FRAME_SSE ? "data: {" : "{");
}

void frame_end(struct frame *frame)
{
	static const char *const ends[] = {
		[FRAME_JSON] = "}",
		[FRAME_NDJSON] = "}\n",
		[FRAME_SSE] = "}\n\n",
	};

	buf_puts(frame->out, ends[frame->style]);
}

void frame_string(struct frame *frame, const char *name, struct str value)
{
	put_name(frame, name);
	frame_quote(frame->out, value);
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

void frame_raw(struct frame *frame, const char *name, struct str json)
{
	put_name(frame, name);
	buf_str(frame->out, json);
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

/*
 * The length of what `s` begins with, if that must be escaped, else 0; *code is then its code
 * point.
 */
static size_t must_escape(struct str s, unsigned *code)
{
	const unsigned char *p = (const unsigned char *)s.p;

	*code = p[0];
	if (p[0] < 0x20 || p[0] == '"' || p[0] == '\\' || p[0] == 0x7f)
		return 1;
	if (p[0] == 0xc2 && s.n >= 2 && p[1] >= 0x80 && p[1] <= 0x9f) {
		*code = p[1];
		return 2;
	}
	if (p[0] == 0xe2 && s.n >= 3 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) {
		*code = 0x2000u + (p[2] & 0x3f);
		return 3;
	}
	return 0;
}

static void put_escape(struct buf *out, unsigned code)
{
	static const char letters[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',  ['\f'] = 'f',
		['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\',
	};
	char text[2] = { '\\', code < sizeof(letters) ? letters[code] : '\0' };

	if (text[1])
		buf_append(out, text, 2);
	else
		buf_printf(out, "\\u%04x", code);
}

void frame_quote(struct buf *out, struct str value)
{
	size_t run = 0, n;
	unsigned code;

	buf_putc(out, '"');
	while (run < value.n) {
		n = must_escape(str_skip(value, run), &code);
		if (!n) {
			run++;
			continue;
		}
		buf_append(out, value.p, run);
		put_escape(out, code);
		value = str_skip(value, run + n);
		run = 0;
	}
	buf_append(out, value.p, run);
	buf_putc(out, '"');
}
