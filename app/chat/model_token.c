/*
 * Strict where the parser is lenient, and it gives up at the first thing of which it is not sure: a
 * member that counts and says something, or stands twice, or a name with an escape in it.  What it
 * passes over is read by the parser's own grammar, so nothing is taken that is no JSON.
 */
#include "chat/model_token.h"

#include "base/count.h"
#include "base/hot.h"
#include "wire/json_scan.h"

/* A longer one may hold more values than the parser takes. */
#define TEXT_MOST 65536

struct reader {
	struct json_scan scan;
	struct model_token *out;
	bool several;
	bool choice;  /* there was one */
	bool delta;   /* ... with a delta */
	bool unknown; /* there was a member of which nothing is known here */
	bool message; /* the choice has one, too */
	bool refusal; /* the delta has one that is not null */
};

/* Takes the value of a member. False: the parser must see it. */
typedef bool (*take_fn)(struct reader *reader);

/* A member that counts, of one of the three objects. */
struct taker {
	struct str name;
	take_fn take;
};

static bool take_null(struct reader *reader)
{
	static const char null[] = "null";
	struct json_scan *scan = &reader->scan;
	size_t n = sizeof(null) - 1;

	if ((size_t)(scan->end - scan->p) < n || memcmp(scan->p, null, n) != 0)
		return false;
	scan->p += n;
	return true;
}

static bool take_any(struct reader *reader)
{
	return json_scan_value(&reader->scan);
}

static bool at(const struct reader *reader, char c)
{
	return reader->scan.p < reader->scan.end && *reader->scan.p == c;
}

/* `object` and `type`: a word, but not the one for an error. */
static bool take_kind(struct reader *reader)
{
	struct str word;

	if (!at(reader, '"'))
		return take_any(reader);
	return json_scan_string(&reader->scan, &word) && !reader->scan.escaped &&
	       !str_equal(word, STR("error"));
}

static bool take_reason(struct reader *reader)
{
	if (!at(reader, '"'))
		return take_null(reader);
	return json_scan_string(&reader->scan, &reader->out->reason) && !reader->scan.escaped;
}

static bool take_usage(struct reader *reader)
{
	const char *from = reader->scan.p;

	if (!at(reader, '{'))
		return take_null(reader);
	if (!json_scan_value(&reader->scan))
		return false;
	reader->out->usage = (struct str){ from, (size_t)(reader->scan.p - from) };
	return true;
}

/* Of several choices only the first counts. */
static bool take_index(struct reader *reader)
{
	if (!reader->several)
		return take_any(reader);
	return json_scan_take(&reader->scan, '0') && (at(reader, ',') || at(reader, '}'));
}

static bool take_content(struct reader *reader)
{
	if (!at(reader, '"'))
		return take_null(reader);
	if (!json_scan_string(&reader->scan, &reader->out->content))
		return false;
	reader->out->escaped = reader->scan.escaped;
	return true;
}

static bool take_refusal(struct reader *reader)
{
	reader->refusal = !at(reader, 'n');
	return take_any(reader);
}

static bool take_message(struct reader *reader)
{
	reader->message = true;
	return take_any(reader);
}

/* Which of the members it is; `count`: none of them. */
static size_t find(struct str name, const struct taker *takers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (name.n == takers[i].name.n && *name.p == *takers[i].name.p &&
		    str_equal(name, takers[i].name))
			break;
	return i;
}

/* One member, its white space included; `seen` are those that came before it. */
static bool take_member(struct reader *reader, const struct taker *takers, size_t count,
			unsigned *seen)
{
	struct json_scan *scan = &reader->scan;
	struct str name;
	size_t i;

	json_scan_space(scan);
	if (!json_scan_string(scan, &name) || scan->escaped)
		return false;
	json_scan_space(scan);
	if (!json_scan_take(scan, ':'))
		return false;
	json_scan_space(scan);
	i = find(name, takers, count);
	if (i == count) {
		reader->unknown = true;
		return take_any(reader);
	}
	if (*seen & 1u << i)
		return false;
	*seen |= 1u << i;
	if (!takers[i].take(reader))
		return false;
	json_scan_space(scan);
	return true;
}

static bool take_object(struct reader *reader, const struct taker *takers, size_t count)
{
	struct json_scan *scan = &reader->scan;
	unsigned seen = 0;

	if (!json_scan_take(scan, '{'))
		return false;
	json_scan_space(scan);
	if (json_scan_take(scan, '}'))
		return true;
	do {
		if (!take_member(reader, takers, count, &seen))
			return false;
	} while (json_scan_take(scan, ','));
	return json_scan_take(scan, '}');
}

static bool take_delta(struct reader *reader)
{
	static const struct taker takers[] = {
		{ STR("content"), take_content },
		{ STR("refusal"), take_refusal },
	};

	reader->delta = true;
	return take_object(reader, takers, COUNT(takers));
}

/* An array of one, or of none. */
static bool take_choices(struct reader *reader)
{
	static const struct taker takers[] = {
		{ STR("delta"), take_delta },	  { STR("index"), take_index },
		{ STR("error"), take_null },	  { STR("finish_reason"), take_reason },
		{ STR("message"), take_message },
	};
	struct json_scan *scan = &reader->scan;

	if (!json_scan_take(scan, '['))
		return false;
	json_scan_space(scan);
	if (json_scan_take(scan, ']'))
		return true;
	reader->choice = true;
	if (!take_object(reader, takers, COUNT(takers)))
		return false;
	json_scan_space(scan);
	return json_scan_take(scan, ']');
}

static bool take_all(struct str text, bool several, struct model_token *out)
{
	static const struct taker takers[] = {
		{ STR("choices"), take_choices },
		{ STR("object"), take_kind },
		{ STR("usage"), take_usage },
		{ STR("error"), take_null },
		{ STR("type"), take_kind },
		/* What says nothing; without a choice, others may say that it failed. */
		{ STR("id"), take_any },
		{ STR("created"), take_any },
		{ STR("model"), take_any },
		{ STR("service_tier"), take_any },
		{ STR("system_fingerprint"), take_any },
	};
	struct reader reader = { .out = out, .several = several };

	*out = (struct model_token){ .content = STR("") };
	json_scan_begin(&reader.scan, text, false);
	if (!take_object(&reader, takers, COUNT(takers)) || reader.scan.p != reader.scan.end)
		return false;
	if (!reader.choice)
		return out->usage.p && !reader.unknown;
	return reader.delta && (out->content.n || (!reader.message && !reader.refusal));
}

/* The same around another content, which is not empty: all that was found then is so again. */
static HOT bool take_framed(struct str text, bool several, const struct model_token_frame *frame,
			    struct model_token *out)
{
	size_t before = frame->before, behind = frame->behind;
	struct json_scan scan;

	if (!before || several != frame->several || text.n <= before + behind ||
	    memcmp(text.p, frame->bytes, before) != 0 ||
	    memcmp(text.p + text.n - behind, frame->bytes + before, behind) != 0)
		return false;
	text = str_skip(text, before - 1);
	text.n -= behind - 1;
	json_scan_begin(&scan, text, false);
	*out = (struct model_token){ .content = STR("") };
	if (!json_scan_string(&scan, &out->content) || scan.p != scan.end)
		return false;
	out->escaped = scan.escaped;
	return true;
}

static void keep_frame(struct str text, bool several, const struct model_token *token,
		       struct model_token_frame *frame)
{
	struct str content = token->content;

	frame->before = 0;
	if (!content.n || token->reason.n || token->usage.p ||
	    text.n - content.n > sizeof(frame->bytes))
		return;
	frame->before = (size_t)(content.p - text.p);
	frame->behind = text.n - content.n - frame->before;
	frame->several = several;
	memcpy(frame->bytes, text.p, frame->before);
	memcpy(frame->bytes + frame->before, content.p + content.n, frame->behind);
}

HOT bool model_token_read(struct str text, bool several, struct model_token_frame *frame,
			  struct model_token *out)
{
	if (text.n > TEXT_MOST)
		return false;
	if (take_framed(text, several, frame, out))
		return true;
	if (!take_all(text, several, out))
		return false;
	keep_frame(text, several, out, frame);
	return true;
}
