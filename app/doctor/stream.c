/* What a stream's arrival tells. */
#include "doctor/stream.h"

#include "wire/json.h"

#define LINE_CAP (1 << 20)
#define SAME_MS 5      /* what comes within is one arrival */
#define TELLING_MS 200 /* a shorter answer tells nothing */
#define FEWER 4	       /* so many times fewer, or shorter, is no accident */

void stream_view_init(struct stream_view *view)
{
	*view = (struct stream_view){ .done = false };
	buf_init(&view->line, LINE_CAP);
}

void stream_view_clear(struct stream_view *view)
{
	buf_clear(&view->line);
}

void stream_times_token(struct stream_times *times, int64_t now)
{
	if (!times->tokens)
		times->first = now;
	if (!times->tokens || now - times->last > SAME_MS)
		times->arrivals++;
	times->last = now;
	times->tokens++;
}

static void take_line(struct stream_view *view, struct str line, int64_t now)
{
	struct json *json = NULL;
	struct str type = STR("");

	if (!line.n || json_parse(line, &json))
		return;
	json_get_string(json_member(json_root(json), "type"), &type);
	if (str_equal(type, STR("token")))
		stream_times_token(&view->times, now);
	else if (str_equal(type, STR("start")))
		view->times.start = now;
	else if (str_equal(type, STR("done")))
		view->done = true;
	else if (str_equal(type, STR("error")))
		view->failed = true;
	json_free(json);
}

void stream_view_feed(struct stream_view *view, struct str bytes, int64_t now)
{
	const char *end;
	size_t n;

	while ((end = memchr(bytes.p, '\n', bytes.n))) {
		n = (size_t)(end - bytes.p);
		buf_append(&view->line, bytes.p, n);
		if (buf_check(&view->line) == STATUS_OK)
			take_line(view, buf_view(&view->line), now);
		buf_reset(&view->line);
		bytes = str_skip(bytes, n + 1);
	}
	buf_str(&view->line, bytes);
}

enum stream_pace stream_compare(const struct stream_times *here, const struct stream_times *there)
{
	int64_t spread = stream_spread(here), spread_there = stream_spread(there);

	if (spread_there >= TELLING_MS && spread < spread_there / FEWER)
		return STREAM_HELD;
	if (spread >= TELLING_MS && here->arrivals * FEWER < there->arrivals)
		return STREAM_BURSTS;
	return spread >= TELLING_MS ? STREAM_FLOWS : STREAM_BRIEF;
}
