/*
 * Open arrays and objects are bits of one word, so depth is bounded by its width.
 */
#include "wire/json_scan.h"

#include "base/hot.h"
#include "base/swar.h"
#include "base/utf8.h"
#include "wire/json.h"
#include "wire/json_valid.h"
#include "wire/utf8.h"

static struct str rest(const struct json_scan *s)
{
	return (struct str){ s->p, (size_t)(s->end - s->p) };
}

/*
 * The code unit of a \u escape at the scan's place (behind the backslash), which it passes; -1:
 * none.
 */
static int take_unit(struct json_scan *s)
{
	int unit = -1;

	if (s->end - s->p >= 5 && *s->p == 'u')
		unit = json_valid_hex4(s->p + 1);
	if (unit >= 0)
		s->p += 5;
	return unit;
}

static bool take_escape(struct json_scan *s)
{
	struct json_scan next;
	int unit, low;

	s->escaped = true;
	if (s->p == s->end)
		return false;
	if (*s->p != 'u')
		return *s->p && strchr("\"\\/bfnrt", *s->p++);
	unit = take_unit(s);
	if (unit < 0)
		return false;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		next = *s;
		low = json_scan_take(&next, '\\') ? take_unit(&next) : -1;
		if (low >= 0xdc00 && low <= 0xdfff) {
			s->p = next.p;
			s->odd |= json_valid_misread(json_valid_pair(unit, low));
			return true;
		}
	} else if (unit && (unit < 0xd800 || unit > 0xdfff)) {
		return true;
	}
	s->odd = true;
	return s->loose;
}

static inline uint64_t not_plain_loosely(uint64_t word)
{
	return swar_below(word, 0x20) | swar_equal(word, '"') | swar_equal(word, '\\');
}

static inline uint64_t not_plain(uint64_t word)
{
	return not_plain_loosely(word) | swar_beyond(word);
}

/*
 * To the next byte that is not plain: a quote, a backslash, a control, and where text must be UTF-8
 * what is above ASCII.
 */
static void skip_plain(struct json_scan *s)
{
	size_t n = (size_t)(s->end - s->p);

	s->p += s->loose ? swar_skip(s->p, 0, n, not_plain_loosely)
			 : swar_skip(s->p, 0, n, not_plain);
}

/* From behind the opening quote to behind the closing one. */
static HOT bool take_string(struct json_scan *s)
{
	unsigned char c;
	size_t n;

	s->escaped = false;
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

static size_t take_digits(struct json_scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

static bool take_number(struct json_scan *s)
{
	size_t digits;

	json_scan_take(s, '-');
	if (!json_scan_take(s, '0')) {
		digits = take_digits(s);
		if (!digits)
			return false;
		if (digits > 18)
			s->odd = true;
	}
	if (json_scan_take(s, '.') && !take_digits(s))
		return false;
	if (json_scan_take(s, 'e') || json_scan_take(s, 'E')) {
		if (!json_scan_take(s, '+'))
			json_scan_take(s, '-');
		return take_digits(s) > 0;
	}
	return true;
}

static bool take_word(struct json_scan *s, struct str word)
{
	if (!str_starts(rest(s), word))
		return false;
	s->p += word.n;
	return true;
}

/* `n` bytes that a loose text may have, and that json-c must not see; 0: none. */
static bool take_odd(struct json_scan *s, size_t n)
{
	if (!n)
		return false;
	s->odd = true;
	s->p += n;
	return true;
}

static bool take_scalar(struct json_scan *s)
{
	if (json_scan_take(s, '"'))
		return take_string(s);
	return take_word(s, STR("true")) || take_word(s, STR("false")) ||
	       take_word(s, STR("null")) ||
	       (s->loose && take_odd(s, json_valid_no_number(rest(s)))) || take_number(s);
}

/* A member's name and its colon. */
static bool take_name(struct json_scan *s)
{
	json_scan_space(s);
	if (!json_scan_take(s, '"') || !take_string(s))
		return false;
	json_scan_space(s);
	return json_scan_take(s, ':');
}

static bool open_one(struct json_scan *s, bool object)
{
	uint64_t bit;

	if (s->depth == s->most)
		return false;
	bit = (uint64_t)1 << s->depth++;
	s->objects = object ? s->objects | bit : s->objects & ~bit;
	return true;
}

/* A scalar, or the beginning of an array or object; *inside: a value is due next. */
static bool take_value(struct json_scan *s, bool *inside)
{
	bool object = s->p < s->end && *s->p == '{';

	*inside = false;
	if (++s->values > s->values_most)
		return false;
	if (!object && (s->p == s->end || *s->p != '['))
		return take_scalar(s);
	if (s->loose && s->depth == s->most)
		return take_odd(s, json_valid_skip(rest(s)));
	s->p++;
	if (!open_one(s, object))
		return false;
	json_scan_space(s);
	if (json_scan_take(s, object ? '}' : ']')) {
		s->depth--;
		return true;
	}
	*inside = true;
	return !object || take_name(s);
}

/*
 * Behind a value: closes what ends here, until a comma calls for the next value or nothing is open.
 */
static bool take_ends(struct json_scan *s)
{
	bool object;

	for (;;) {
		json_scan_space(s);
		if (!s->depth)
			return true;
		object = s->objects >> (s->depth - 1) & 1;
		if (json_scan_take(s, ','))
			return !object || take_name(s);
		if (!json_scan_take(s, object ? '}' : ']'))
			return false;
		s->depth--;
	}
}

HOT void json_scan_begin(struct json_scan *s, struct str text, bool loose)
{
	*s = (struct json_scan){
		.p = text.p,
		.end = text.n ? text.p + text.n : text.p,
		.most = loose ? JSON_LOOSE_DEPTH : JSON_MAX_DEPTH,
		.values_most = loose ? JSON_LOOSE_VALUES : JSON_ANY_VALUES,
		.loose = loose,
	};
}

HOT bool json_scan_string(struct json_scan *s, struct str *raw)
{
	const char *from;

	if (!json_scan_take(s, '"'))
		return false;
	from = s->p;
	if (!take_string(s))
		return false;
	*raw = (struct str){ from, (size_t)(s->p - from) - 1 };
	return true;
}

bool json_scan_value(struct json_scan *s)
{
	bool inside;

	do {
		json_scan_space(s);
		if (!take_value(s, &inside))
			return false;
		if (!inside && !take_ends(s))
			return false;
	} while (inside || s->depth);
	return true;
}

const char *json_scan_escape(const char *p, char out[4], size_t *n)
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	const char *letter;
	uint32_t c;

	if (*p != 'u') {
		letter = strchr(letters, *p);
		out[0] = letter ? meanings[letter - letters] : *p;
		*n = 1;
		return p + 1;
	}
	c = (uint32_t)json_valid_hex4(p + 1);
	p += 5;
	if (c >= 0xd800 && c <= 0xdbff) {
		c = json_valid_pair((int)c, json_valid_hex4(p + 2));
		p += 6;
	}
	*n = utf8_encode(c, out);
	return p;
}

void json_scan_unescape(struct str raw, struct buf *out)
{
	const char *p = raw.p, *end = raw.p + raw.n, *slash;
	char c[4];
	size_t n;

	while ((slash = memchr(p, '\\', (size_t)(end - p)))) {
		buf_append(out, p, (size_t)(slash - p));
		p = json_scan_escape(slash + 1, c, &n);
		buf_append(out, c, n);
	}
	buf_append(out, p, (size_t)(end - p));
}
