/* wire/sse: the standard's examples, and the same events wherever the bytes are cut. */
#include "unit.h"

#include "wire/sse.h"

/* The events seen, as text: TYPE|DATA; for each. */
static enum status note(void *context, struct str type, struct str data)
{
	struct buf *seen = context;

	assert_non_null(type.p);
	assert_non_null(data.p);
	buf_str(seen, type);
	buf_putc(seen, '|');
	buf_str(seen, data);
	buf_putc(seen, ';');
	return STATUS_OK;
}

struct stream {
	struct str bytes;
	struct str events; /* while feeding */
	struct str late;   /* at the end */
};

static const struct stream streams[] = {
	{ STR(""), STR(""), STR("") },
	{ STR("data: a\n\ndata: b\n\n"), STR("|a;|b;"), STR("") },
	{ STR("data: a\r\n\r\ndata: b\r\n\r\n"), STR("|a;|b;"), STR("") },
	{ STR("data: a\r\rdata: b\r\r"), STR("|a;|b;"), STR("") },
	{ STR("data: a\r\n\ndata: b\n\r\n"), STR("|a;|b;"), STR("") },
	{ STR("data: a\n\r\n\rdata: b\r\n\n"), STR("|a;|b;"), STR("") },
	{ STR("data:a\n\ndata:  a\n\n"), STR("|a;| a;"), STR("") },
	{ STR("data: YHOO\ndata: +2\ndata: 10\n\n"), STR("|YHOO\n+2\n10;"), STR("") },
	{ STR(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
	      "data:  third event\n"),
	  STR("|first event;|second event;"), STR("| third event;") },
	{ STR("data\n\ndata\ndata\n\ndata:"), STR("|;|\n;"), STR("|;") },
	{ STR("data:test\n\ndata: test\n\n"), STR("|test;|test;"), STR("") },
	{ STR("event: x\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n"), STR("x|a\nb;|c;"),
	  STR("") },
	{ STR("event: x\rdata: a\rdata: b\r\rdata: c\r\n"), STR("x|a\nb;"), STR("|c;") },
	{ STR("event: add\ndata: 1\n\ndata: 2\n\n"), STR("add|1;|2;"), STR("") },
	{ STR("event: a\nevent: b\ndata: 1\n\n"), STR("b|1;"), STR("") },
	{ STR("event: lost\n\ndata: 1\n\n"), STR("|1;"), STR("") },
	{ STR("event\ndata: 1\n\n"), STR("|1;"), STR("") },
	{ STR("retry: 5\nid: 7\nother: x\nDATA: no\n data: no\ndata : no\n\n"), STR(""), STR("") },
	{ STR("\xef\xbb\xbf"
	      "data: a\n\n\xef\xbb\xbf"
	      "data: b\n\n"),
	  STR("|a;"), STR("") },
	{ STR("\xef\xbb\xbf\n\ndata: a\n\n"), STR("|a;"), STR("") },
	{ STR("data: {\"a\":\"b:c\"}\n\n:\n\n: data: x\n\ndata: [DONE]"), STR("|{\"a\":\"b:c\"};"),
	  STR("|[DONE];") },
	{ STR("data: a\n\n\n\n\n\r\r\ndata: b\n\n"), STR("|a;|b;"), STR("") },
	{ STR("data: a\ndata: b"), STR(""), STR("|a\nb;") },
	{ STR("data: a\r"), STR(""), STR("|a;") },
	{ STR("event: x\ndata: \xe2\x82\xac\0\n\n"), STR("x|\xe2\x82\xac\0;"), STR("") },
};

/* Of sse_init_objects(). */
static const struct stream objects[] = {
	/* As the standard has it, a line earlier. */
	{ STR("data: {}\n\ndata: {\"a\":[{}]}\r\n\r\n"), STR("|{};|{\"a\":[{}]};"), STR("") },
	{ STR("event: x\ndata: {}\n\ndata: {}\n\n"), STR("x|{};|{};"), STR("") },
	{ STR(": {\n\nid: {\nretry: {\ndata: {}\n"), STR("|{};"), STR("") },
	/* One line feed between events, whatever they are. */
	{ STR("data: {}\ndata: {\"a\":1}\ndata: [DONE]\n"), STR("|{};|{\"a\":1};|[DONE];"),
	  STR("") },
	{ STR("data: {}\rdata: ping\rdata: {}\rdata: {}"), STR("|{};|ping;|{};"), STR("|{};") },
	{ STR("event: a\ndata: {}\nevent: b\ndata: {}\n"), STR("a|{};b|{};"), STR("") },
	{ STR("data:\ndata: {}\n"), STR("|\n{};"), STR("") },
	/* An object over several lines stays one event; what looks like its end is in a string. */
	{ STR("data: {\"a\":\ndata: [1,\ndata: 2]}\ndata: {}\n"), STR("|{\"a\":\n[1,\n2]};|{};"),
	  STR("") },
	{ STR("data: {\"a\":\"}\\\"}\\\\\"\ndata: }\n"), STR("|{\"a\":\"}\\\"}\\\\\"\n};"),
	  STR("") },
	/* An empty line ends what is not complete, too; the next begins anew. */
	{ STR("data: {\"a\":\"{{\n\ndata: {}\n"), STR("|{\"a\":\"{{;|{};"), STR("") },
	{ STR("data: {\"a\":["), STR(""), STR("|{\"a\":[;") },
	{ STR("data: {}}\n\ndata: {]\n"), STR("|{}};|{];"), STR("") },
	/* Words of an event with a type. */
	{ STR("event: error\ndata: a\ndata: b\n\ndata: {}\n"), STR("error|a\nb;|{};"), STR("") },
	/* Without "data:", in one line and in several, empty ones too. */
	{ STR("{\"error\":1}\ndata: [DONE]\n\n"), STR("|{\"error\":1};|[DONE];"), STR("") },
	{ STR("data: {}\n{\"e\":1}\n{\"e\":2}\n"), STR("|{};|{\"e\":1};|{\"e\":2};"), STR("") },
	{ STR("\xef\xbb\xbf\n\t {\n\n\"e\":\ndata: 1\n }\ndata: {}\n"),
	  STR("|\t {\n\n\"e\":\ndata: 1\n };|{};"), STR("") },
	{ STR("{\"a\":1}"), STR(""), STR("|{\"a\":1};") },
	{ STR("{\"a\":1"), STR(""), STR("|{\"a\":1;") },
	{ STR("data: {\"a\":\n{\"b\":\ndata: 1}\n"), STR("|{\"a\":\n1};"), STR("") },
	/* The field of llama.cpp's. */
	{ STR("error: {\"e\":1}\n\ndata: [DONE]\n\n"), STR("error|{\"e\":1};|[DONE];"), STR("") },
	{ STR("data: {\"a\":\nerror: {\"e\":1}\ndata: {}\n"), STR("error|{\"e\":1};|{};"),
	  STR("") },
	{ STR("event: x\nerror\ndata: {}\n"), STR("error|;|{};"), STR("") },
};

static void init(struct sse *sse, bool of_objects, size_t cap)
{
	if (of_objects)
		sse_init_objects(sse, cap);
	else
		sse_init(sse, cap);
}

static void feed(struct sse *sse, struct str bytes, struct buf *seen)
{
	assert_int_equal(sse_feed(sse, bytes, note, seen), STATUS_OK);
}

/* In three pieces, which a chunk of memory of their own size holds, so that a reader beyond them is seen. */
static void three_pieces(bool of_objects, struct str bytes, size_t first, size_t second,
			 struct buf *seen)
{
	const size_t ends[] = { first, second, bytes.n };
	size_t from = 0, i, n;
	struct sse sse;
	char *piece;

	init(&sse, of_objects, 100);
	for (i = 0; i < COUNT(ends); i++) {
		n = ends[i] - from;
		piece = malloc(n ? n : 1);
		assert_non_null(piece);
		memcpy(piece, bytes.p + from, n);
		feed(&sse, (struct str){ piece, n }, seen);
		free(piece);
		from = ends[i];
	}
	buf_putc(seen, '#');
	assert_int_equal(sse_end(&sse, note, seen), STATUS_OK);
	sse_clear(&sse);
}

static void cut_everywhere(bool of_objects, const struct stream *stream)
{
	struct buf expected, seen;
	size_t first, second;

	buf_init(&expected, 1000);
	buf_init(&seen, 1000);
	buf_str(&expected, stream->events);
	buf_putc(&expected, '#');
	buf_str(&expected, stream->late);
	for (first = 0; first <= stream->bytes.n; first++) {
		for (second = first; second <= stream->bytes.n; second++) {
			buf_reset(&seen);
			three_pieces(of_objects, stream->bytes, first, second, &seen);
			assert_same(buf_view(&seen), buf_view(&expected));
		}
	}
	buf_clear(&expected);
	buf_clear(&seen);
}

static void same_events_at_every_cut(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(streams); i++)
		cut_everywhere(false, &streams[i]);
	for (i = 0; i < COUNT(objects); i++)
		cut_everywhere(true, &objects[i]);
}

static void feed_bytes(bool of_objects, const struct stream *stream)
{
	struct buf seen;
	struct sse sse;
	size_t i;

	buf_init(&seen, 1000);
	init(&sse, of_objects, 100);
	for (i = 0; i < stream->bytes.n; i++)
		feed(&sse, (struct str){ stream->bytes.p + i, 1 }, &seen);
	assert_same(buf_view(&seen), stream->events);
	buf_reset(&seen);
	assert_int_equal(sse_end(&sse, note, &seen), STATUS_OK);
	assert_same(buf_view(&seen), stream->late);
	sse_clear(&sse);
	buf_clear(&seen);
}

static void byte_by_byte(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(streams); i++)
		feed_bytes(false, &streams[i]);
	for (i = 0; i < COUNT(objects); i++)
		feed_bytes(true, &objects[i]);
}

/* Random streams of what matters: whole and cut at random, the events are the same. */
static void random_streams(void **state)
{
	static const char *const parts[] = { "data:", "data: ", "event:", "\n",
					     "\r",    "\r\n",	":",	  "x",
					     " ",     "\n\n",	"id:",	  "\xef\xbb\xbf",
					     "{",     "}",	"\"",	  "error:" };
	struct buf bytes, whole, cut;
	uint64_t random = 7;
	size_t from, n;
	struct sse sse;
	int round, i;

	(void)state;
	buf_init(&bytes, 1000);
	buf_init(&whole, 2000);
	buf_init(&cut, 2000);
	for (round = 0; round < 20000; round++) {
		buf_reset(&bytes);
		buf_reset(&whole);
		buf_reset(&cut);
		for (i = 0; i < 16; i++)
			buf_puts(&bytes, parts[unit_random(&random) % COUNT(parts)]);
		init(&sse, round % 2, 200);
		feed(&sse, buf_view(&bytes), &whole);
		assert_int_equal(sse_end(&sse, note, &whole), STATUS_OK);
		sse_clear(&sse);
		for (from = 0; from < bytes.len; from += n) {
			n = 1 + unit_random(&random) % 6;
			if (n > bytes.len - from)
				n = bytes.len - from;
			feed(&sse, (struct str){ bytes.data + from, n }, &cut);
		}
		assert_int_equal(sse_end(&sse, note, &cut), STATUS_OK);
		sse_clear(&sse);
		assert_same(buf_view(&cut), buf_view(&whole));
	}
	buf_clear(&bytes);
	buf_clear(&whole);
	buf_clear(&cut);
}

static void an_event_is_given_at_its_last_byte(void **state)
{
	struct buf seen;
	struct sse sse;

	(void)state;
	buf_init(&seen, 100);
	sse_init(&sse, 100);
	feed(&sse, STR("data: a\r"), &seen);
	assert_str(buf_view(&seen), "");
	feed(&sse, STR("\n\r"), &seen);
	assert_str(buf_view(&seen), "|a;");
	/* The line feed that is still due is no second empty line. */
	feed(&sse, STR("\ndata: b\n"), &seen);
	assert_str(buf_view(&seen), "|a;");
	feed(&sse, STR("\n"), &seen);
	assert_str(buf_view(&seen), "|a;|b;");
	sse_clear(&sse);
	/* An object is complete before its empty line. */
	buf_reset(&seen);
	sse_init_objects(&sse, 100);
	feed(&sse, STR("data: {\"a\":1}"), &seen);
	assert_str(buf_view(&seen), "");
	feed(&sse, STR("\r"), &seen);
	assert_str(buf_view(&seen), "|{\"a\":1};");
	feed(&sse, STR("\n\r\n"), &seen);
	assert_str(buf_view(&seen), "|{\"a\":1};");
	sse_clear(&sse);
	buf_clear(&seen);
}

static enum status feed_all(struct str bytes, size_t cap, size_t piece)
{
	enum status status = STATUS_OK;
	struct buf seen;
	struct sse sse;
	size_t n;

	buf_init(&seen, 10000);
	sse_init(&sse, cap);
	while (bytes.n && status == STATUS_OK) {
		n = piece < bytes.n ? piece : bytes.n;
		status = sse_feed(&sse, (struct str){ bytes.p, n }, note, &seen);
		bytes = str_skip(bytes, n);
	}
	if (status == STATUS_OK)
		status = sse_end(&sse, note, &seen);
	sse_clear(&sse);
	buf_clear(&seen);
	return status;
}

static void nothing_is_longer_than_the_cap(void **state)
{
	static const size_t pieces[] = { 1, 3, 1000 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(pieces); i++) {
		assert_int_equal(feed_all(STR("data: 0123\n\n"), 10, pieces[i]), STATUS_OK);
		assert_int_equal(feed_all(STR("data: 01234\n\n"), 10, pieces[i]), STATUS_NOMEM);
		assert_int_equal(feed_all(STR("data: 01234"), 10, pieces[i]), STATUS_NOMEM);
		assert_int_equal(feed_all(STR(":0123456789\n\n"), 10, pieces[i]), STATUS_NOMEM);
		/* Short lines, a long event: its data and the line feeds between. */
		assert_int_equal(feed_all(STR("data:01234\ndata:0123\n\n"), 10, pieces[i]),
				 STATUS_OK);
		assert_int_equal(feed_all(STR("data:01234\ndata:01234\n\n"), 10, pieces[i]),
				 STATUS_NOMEM);
		/* The next event has the whole cap again. */
		assert_int_equal(
			feed_all(STR("data:01234\ndata:0123\n\ndata:01234\n\n"), 10, pieces[i]),
			STATUS_OK);
	}
}

static enum status refuse(void *context, struct str type, struct str data)
{
	(void)type;
	(void)data;
	++*(int *)context;
	return STATUS_CLOSED;
}

static void the_callers_refusal_ends_it(void **state)
{
	struct sse sse;
	int calls = 0;

	(void)state;
	sse_init(&sse, 100);
	assert_int_equal(sse_feed(&sse, STR("data: a\n\ndata: b\n\n"), refuse, &calls),
			 STATUS_CLOSED);
	assert_int_equal(calls, 1);
	sse_clear(&sse);
	assert_int_equal(sse_feed(&sse, STR("data: a\n"), refuse, &calls), STATUS_OK);
	assert_int_equal(sse_end(&sse, refuse, &calls), STATUS_CLOSED);
	assert_int_equal(calls, 2);
	sse_clear(&sse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_events_at_every_cut),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(random_streams),
		cmocka_unit_test(an_event_is_given_at_its_last_byte),
		cmocka_unit_test(nothing_is_longer_than_the_cap),
		cmocka_unit_test(the_callers_refusal_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
