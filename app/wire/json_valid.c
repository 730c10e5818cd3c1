/*
 * The validator.  Open arrays and objects are bits of one word, so depth is bounded by its width.
 */
#include "wire/json_valid.h"

#include <stdint.h>

#include "base/count.h"
#include "wire/json.h"
#include "wire/utf8.h"

struct scan {
	const char *p;
	const char *end;
	uint64_t objects; /* bit n: what is open at depth n + 1 is an object */
	unsigned depth;
	unsigned most;
	unsigned values;
	bool loose;
	bool odd;
};

static struct str rest(const struct scan *s)
{
	return (struct str){ s->p, (size_t)(s->end - s->p) };
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

static bool take(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

int json_valid_hex4(const char *p)
{
	int value = 0, i;

	for (i = 0; i < 4; i++) {
		value *= 16;
		if (p[i] >= '0' && p[i] <= '9')
			value += p[i] - '0';
		else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')
			value += (p[i] | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

/*
 * The code unit of a \u escape at the scan's place (behind the backslash), which it passes; -1:
 * none.
 */
static int take_unit(struct scan *s)
{
	int unit = -1;

	if (s->end - s->p >= 5 && *s->p == 'u')
		unit = json_valid_hex4(s->p + 1);
	if (unit >= 0)
		s->p += 5;
	return unit;
}

static bool take_escape(struct scan *s)
{
	struct scan next;
	int unit, low;

	if (s->p == s->end)
		return false;
	if (*s->p != 'u')
		return *s->p && strchr("\"\\/bfnrt", *s->p++);
	unit = take_unit(s);
	if (unit < 0)
		return false;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		next = *s;
		low = take(&next, '\\') ? take_unit(&next) : -1;
		if (low >= 0xdc00 && low <= 0xdfff) {
			s->p = next.p;
			return true;
		}
	} else if (unit && (unit < 0xd800 || unit > 0xdfff)) {
		return true;
	}
	s->odd = true;
	return s->loose;
}

/*
 * Eight bytes at once where none of them ends the run: a quote, a backslash, a control, or above
 * ASCII.
 */
static void skip_plain(struct scan *s)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	uint64_t word, quote, slash;

	while (s->end - s->p >= 8) {
		memcpy(&word, s->p, 8);
		quote = word ^ ones * '"';
		slash = word ^ ones * '\\';
		if ((word | (word - ones * 0x20) | (quote - ones) | (slash - ones)) & tops)
			break;
		s->p += 8;
	}
}

/* From behind the opening quote to behind the closing one. */
static bool take_string(struct scan *s)
{
	unsigned char c;
	size_t n;

	for (;;) {
		skip_plain(s);
		if (s->p == s->end)
			return false;
		c = (unsigned char)*s->p;
		if (c == '"') {
			s->p++;
			return true;
		}
		if (c < 0x20)
			return false;
		n = 1;
		if (c >= 0x80 && !s->loose)
			n = utf8_length(rest(s));
		if (!n)
			return false;
		s->p += n;
		if (c == '\\' && !take_escape(s))
			return false;
	}
}

static size_t take_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

static bool take_number(struct scan *s)
{
	size_t digits;

	take(s, '-');
	if (!take(s, '0')) {
		digits = take_digits(s);
		if (!digits)
			return false;
		if (digits > 18)
			s->odd = true;
	}
	if (take(s, '.') && !take_digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		return take_digits(s) > 0;
	}
	return true;
}

static bool take_word(struct scan *s, struct str word)
{
	if (!str_starts(rest(s), word))
		return false;
	s->p += word.n;
	return true;
}

size_t json_valid_no_number(struct str text)
{
	static const struct str words[] = { { "nan", 3 }, { "infinity", 8 }, { "inf", 3 } };
	size_t sign = text.n && (*text.p == '-' || *text.p == '+'), i;

	for (i = 0; i < COUNT(words); i++)
		if (text.n - sign >= words[i].n &&
		    str_same((struct str){ text.p + sign, words[i].n }, words[i]))
			return sign + words[i].n;
	return 0;
}

size_t json_valid_skip(struct str text)
{
	size_t depth = 0, i;
	bool string = false;

	for (i = 0; i < text.n; i++) {
		if (string) {
			string = text.p[i] != '"';
			i += text.p[i] == '\\';
		} else if (text.p[i] == '"') {
			string = true;
		} else if (text.p[i] == '{' || text.p[i] == '[') {
			depth++;
		} else if (text.p[i] == '}' || text.p[i] == ']') {
			if (!--depth)
				return i + 1;
		}
	}
	return 0;
}

/* `n` bytes that a loose text may have, and that json-c must not see; 0: none. */
static bool take_odd(struct scan *s, size_t n)
{
	if (!n)
		return false;
	s->odd = true;
	s->p += n;
	return true;
}

static bool take_scalar(struct scan *s)
{
	if (take(s, '"'))
		return take_string(s);
	return take_word(s, STR("true")) || take_word(s, STR("false")) ||
	       take_word(s, STR("null")) ||
	       (s->loose && take_odd(s, json_valid_no_number(rest(s)))) || take_number(s);
}

/* A member's name and its colon. */
static bool take_name(struct scan *s)
{
	skip_space(s);
	if (!take(s, '"') || !take_string(s))
		return false;
	skip_space(s);
	return take(s, ':');
}

static bool open_one(struct scan *s, bool object)
{
	uint64_t bit;

	if (s->depth == s->most)
		return false;
	bit = (uint64_t)1 << s->depth++;
	s->objects = object ? s->objects | bit : s->objects & ~bit;
	return true;
}

/* A scalar, or the beginning of an array or object; *inside: a value is due next. */
static bool take_value(struct scan *s, bool *inside)
{
	bool object = s->p < s->end && *s->p == '{';

	*inside = false;
	if (s->loose && ++s->values > JSON_LOOSE_VALUES)
		return false;
	if (!object && (s->p == s->end || *s->p != '['))
		return take_scalar(s);
	if (s->loose && s->depth == s->most)
		return take_odd(s, json_valid_skip(rest(s)));
	s->p++;
	if (!open_one(s, object))
		return false;
	skip_space(s);
	if (take(s, object ? '}' : ']')) {
		s->depth--;
		return true;
	}
	*inside = true;
	return !object || take_name(s);
}

/*
 * Behind a value: closes what ends here, until a comma calls for the next value or nothing is open.
 */
static bool take_ends(struct scan *s)
{
	bool object;

	for (;;) {
		skip_space(s);
		if (!s->depth)
			return true;
		object = s->objects >> (s->depth - 1) & 1;
		if (take(s, ','))
			return !object || take_name(s);
		if (!take(s, object ? '}' : ']'))
			return false;
		s->depth--;
	}
}

bool json_valid_scan(struct str text, bool loose, bool *odd)
{
	struct scan s = {
		.p = text.p,
		.end = text.n ? text.p + text.n : text.p,
		.most = loose ? JSON_LOOSE_DEPTH : JSON_MAX_DEPTH,
		.loose = loose,
	};
	bool inside;

	do {
		skip_space(&s);
		if (!take_value(&s, &inside))
			return false;
		if (!inside && !take_ends(&s))
			return false;
	} while (inside || s.depth);
	if (odd)
		*odd = s.odd;
	return s.p == s.end;
}
