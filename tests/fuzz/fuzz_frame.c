/*
 * wire/frame: no bytes break a frame. One line, no control and nothing that some reader takes for a line's end in it;
 * the stream's own reader finds each event, and JSON's reader finds in it what went in.
 */
#include "fuzz.h"

#include "wire/frame.h"
#include "wire/json.h"
#include "wire/sse.h"
#include "wire/utf8.h"

#define EVENTS 2

struct input {
	struct str text;
	int64_t integer;
	bool plain; /* the strict reading takes it: valid, without U+0000 */
};

static void write_one(struct buf *out, enum frame_style style, const struct input *in)
{
	size_t half = in->text.n / 2;
	struct frame frame;
	struct buf raw;

	buf_init(&raw, 6 * in->text.n + 2);
	frame_quote(&raw, in->text);
	frame_begin(&frame, out, style);
	frame_string(&frame, "type", STR("token"));
	frame_string(&frame, "token", in->text);
	frame_integer(&frame, "integer", in->integer);
	frame_open_array(&frame, "list");
	frame_open_element(&frame);
	frame_string(&frame, "text", (struct str){ in->text.p, half });
	frame_close(&frame);
	frame_open_element(&frame);
	frame_string(&frame, "text", half ? str_skip(in->text, half) : in->text);
	frame_boolean(&frame, "odd", in->integer & 1);
	frame_close(&frame);
	frame_close_array(&frame);
	frame_open(&frame, "open");
	frame_close(&frame);
	frame_raw(&frame, "raw", buf_view(&raw));
	frame_end(&frame);
	must(buf_check(&raw) == STATUS_OK);
	buf_clear(&raw);
}

static void one_line(struct str line)
{
	static const struct str ends[] = { STR("\x7f"), STR("\xe2\x80\xa8"), STR("\xe2\x80\xa9") };
	size_t i;

	for (i = 0; i < line.n; i++)
		must((unsigned char)line.p[i] >= 0x20);
	for (i = 1; i < line.n; i++) /* U+0080 to U+009F */
		must(line.p[i - 1] != '\xc2' || ((unsigned char)line.p[i] & 0xe0) != 0x80);
	for (i = 0; i < COUNT(ends); i++)
		must(!memmem(line.p, line.n, ends[i].p, ends[i].n));
}

static void is_text(struct json_node node, struct str want)
{
	struct str got;

	must(json_get_string(node, &got));
	must(str_equal(got, want));
}

/* The line is the object that was written. */
static void says(struct str line, const struct input *in)
{
	struct json_node root, list, second;
	size_t half = in->text.n / 2;
	struct json *json = NULL;
	int64_t integer;
	bool odd;

	one_line(line);
	must(json_valid(line) == in->plain);
	if (in->plain)
		must(json_parse(line, &json) == STATUS_OK);
	else
		must(json_parse_loose(line, &json) == STATUS_OK);
	root = json_root(json);
	is_text(json_member(root, "type"), STR("token"));
	is_text(json_member(root, "token"), in->text);
	is_text(json_member(root, "raw"), in->text);
	must(json_get_integer(json_member(root, "integer"), &integer) && integer == in->integer);
	list = json_member(root, "list");
	second = json_element(list, 1);
	must(json_length(list) == 2);
	is_text(json_member(json_element(list, 0), "text"), (struct str){ in->text.p, half });
	is_text(json_member(second, "text"), half ? str_skip(in->text, half) : in->text);
	must(json_get_boolean(json_member(second, "odd"), &odd) && odd == (in->integer & 1));
	must(json_type_of(json_member(root, "open")) == JSON_OBJECT);
	json_free(json);
}

struct seen {
	const struct input *in;
	unsigned count;
};

static enum status event(void *context, struct str type, struct str data)
{
	struct seen *seen = context;

	must(!type.n);
	says(data, seen->in);
	seen->count++;
	return STATUS_OK;
}

static void as_sse(struct str stream, const struct input *in)
{
	struct seen seen = { .in = in };
	struct sse sse;

	sse_init(&sse, stream.n);
	must(sse_feed(&sse, stream, event, &seen) == STATUS_OK);
	must(seen.count == EVENTS); /* before the end: nothing is left open */
	must(sse_end(&sse, event, &seen) == STATUS_OK);
	must(seen.count == EVENTS);
	sse_clear(&sse);
}

static void as_ndjson(struct str stream, const struct input *in)
{
	unsigned count = 0;
	const char *end;
	struct str line;

	while (stream.n) {
		end = memchr(stream.p, '\n', stream.n);
		must(end);
		line = (struct str){ stream.p, (size_t)(end - stream.p) };
		stream = str_skip(stream, line.n + 1);
		if (!line.n)
			continue; /* a beat */
		says(line, in);
		count++;
	}
	must(count == EVENTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const beats[] = {
		[FRAME_JSON] = "", [FRAME_NDJSON] = FRAME_NDJSON_BEAT, [FRAME_SSE] = FRAME_SSE_BEAT
	};
	struct input in = { .text = fuzz_copy((struct str){ (const char *)data, size }) };
	enum frame_style style;
	struct buf out;
	int i;

	memcpy(&in.integer, data, size < sizeof(in.integer) ? size : sizeof(in.integer));
	/* Cut in the middle, a character is none. */
	in.plain = utf8_valid(in.text, NULL) && (!size || !memchr(in.text.p, '\0', size)) &&
		   utf8_valid((struct str){ in.text.p, size / 2 }, NULL);
	for (style = FRAME_JSON; style <= FRAME_SSE; style++) {
		buf_init(&out, EVENTS * (18 * size + 400));
		for (i = 0; i < EVENTS; i++) {
			if (i && style == FRAME_JSON)
				buf_reset(&out);
			buf_puts(&out, beats[style]);
			write_one(&out, style, &in);
		}
		must(buf_check(&out) == STATUS_OK);
		if (style == FRAME_JSON)
			says(buf_view(&out), &in);
		else if (style == FRAME_NDJSON)
			as_ndjson(buf_view(&out), &in);
		else
			as_sse(buf_view(&out), &in);
		buf_clear(&out);
	}
	fuzz_free(in.text);
	return 0;
}
