/* Lines are read where they lie; only a cut one is copied. */
#include "answer.h"

#include <string.h>

#include "bench.h"

void answer_begin(struct answer *answer, enum answer_api api, unsigned wanted,
		  struct histogram *latency)
{
	answer->api = api;
	answer->wanted = wanted;
	answer->seen = 0;
	answer->started = answer->finished = answer->counted = answer->done = false;
	answer->fault = NULL;
	answer->first_at = 0;
	answer->latency = latency;
	answer->line_n = answer->text_n = 0;
}

static bool fail(struct answer *answer, const char *fault)
{
	answer->fault = fault;
	return false;
}

static bool number(const char **p, const char *end, int64_t *out)
{
	const char *from = *p;

	*out = 0;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		*out = *out * 10 + (**p - '0');
	return *p > from;
}

/* At a token's text: BENCH_TOKEN, then a quote. */
static bool take_token(struct answer *answer, const char *p, const char *end, int64_t now)
{
	const char *from = p;
	int64_t place, sent;

	if (!number(&p, end, &place) || p == end || *p++ != ':' || !number(&p, end, &sent) ||
	    end - p < 2 || p[0] != ' ' || p[1] != '"')
		return fail(answer, "a token that is none of the bench model's");
	if (answer->done || answer->finished)
		return fail(answer, "a token behind the answer's end");
	if (place != answer->seen)
		return fail(answer, "a token lost, repeated or out of order");
	if (++answer->seen > answer->wanted)
		return fail(answer, "more tokens than asked for");
	if (!answer->first_at)
		answer->first_at = now;
	histogram_add(answer->latency, now - sent);
	if (answer->api == ANSWER_HEADLESS) {
		p++;
		if (answer->text_n + (size_t)(p - from) > sizeof(answer->text))
			return fail(answer, "an answer too long for this client");
		memcpy(answer->text + answer->text_n, from, (size_t)(p - from));
		answer->text_n += (size_t)(p - from);
	}
	return true;
}

#define HAS(line, n, text) memmem((line), (n), (text), sizeof(text) - 1)
#define STARTS(line, n, text) ((n) >= sizeof(text) - 1 && !memcmp((line), (text), sizeof(text) - 1))
#define LENGTH(text) (sizeof(text) - 1)

static bool take_chunk(struct answer *answer, const char *line, size_t n, int64_t now)
{
	const char *content;

	if (!n)
		return true;
	if (STARTS(line, n, "data: [DONE]")) {
		if (!answer->finished || !answer->counted || answer->done)
			return fail(answer, "[DONE] without a finish reason and usage before it");
		answer->done = true;
		return true;
	}
	if (!STARTS(line, n, "data: {"))
		return fail(answer, "a line that is no event");
	content = HAS(line, n, "\"content\":\"");
	if (content && content[LENGTH("\"content\":\"")] != '"')
		return take_token(answer, content + LENGTH("\"content\":\""), line + n, now);
	if (HAS(line, n, "\"finish_reason\":\"stop\""))
		answer->finished = true;
	else if (HAS(line, n, "\"usage\":{"))
		answer->counted = true;
	else if (HAS(line, n, "\"role\":\"assistant\"") && !answer->started)
		answer->started = true;
	else
		return fail(answer, "an event of an unknown kind");
	return true;
}

static bool take_done(struct answer *answer, const char *line, size_t n)
{
	static const char begin[] = "{\"type\":\"done\",\"message\":\"",
			  end[] = "\",\"conversationId\":";

	if (answer->done)
		return fail(answer, "done came twice");
	if (n < LENGTH(begin) + answer->text_n + LENGTH(end) ||
	    memcmp(line + LENGTH(begin), answer->text, answer->text_n) != 0 ||
	    memcmp(line + LENGTH(begin) + answer->text_n, end, LENGTH(end)) != 0)
		return fail(answer, "done's message is not the joined tokens");
	answer->done = answer->finished = answer->counted = true;
	return true;
}

static bool take_event(struct answer *answer, const char *line, size_t n, int64_t now)
{
	static const char token[] = "{\"type\":\"token\",\"token\":\"";

	if (!n)
		return true; /* a heartbeat */
	if (STARTS(line, n, token))
		return answer->started ? take_token(answer, line + LENGTH(token), line + n, now)
				       : fail(answer, "a token before start");
	if (STARTS(line, n, "{\"type\":\"start\"") && !answer->started) {
		answer->started = true;
		return true;
	}
	if (STARTS(line, n, "{\"type\":\"done\",\"message\":\""))
		return take_done(answer, line, n);
	if (STARTS(line, n, "{\"type\":\"error\""))
		return fail(answer, "the stream ended in error");
	return fail(answer, "an event of an unknown kind");
}

static bool take_line(struct answer *answer, const char *line, size_t n, int64_t now)
{
	if (answer->api == ANSWER_OPENAI)
		return take_chunk(answer, line, n, now);
	return take_event(answer, line, n, now);
}

bool answer_feed(struct answer *answer, const char *bytes, size_t n, int64_t now)
{
	const char *end = bytes + n, *feed;
	size_t part;

	while (bytes < end) {
		feed = memchr(bytes, '\n', (size_t)(end - bytes));
		part = (size_t)((feed ? feed : end) - bytes);
		if (!feed || answer->line_n) {
			if (answer->line_n + part > sizeof(answer->line))
				return fail(answer, "a line too long for this client");
			memcpy(answer->line + answer->line_n, bytes, part);
			answer->line_n += part;
		}
		if (!feed)
			return true;
		if (answer->line_n) {
			part = answer->line_n;
			answer->line_n = 0;
			if (!take_line(answer, answer->line, part, now))
				return false;
		} else if (!take_line(answer, bytes, part, now)) {
			return false;
		}
		bytes = feed + 1;
	}
	return true;
}

bool answer_end(struct answer *answer)
{
	if (answer->fault)
		return false;
	if (answer->line_n)
		return fail(answer, "the body ended within a line");
	if (answer->seen != answer->wanted)
		return fail(answer, "fewer tokens than asked for");
	if (!answer->started || !answer->finished || !answer->counted || !answer->done)
		return fail(answer, "the answer has no proper end");
	return true;
}
