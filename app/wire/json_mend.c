/* One pass over a valid text; only texts that the validator found odd come here. */
#include "wire/json_mend.h"

#include <stdint.h>

#include "base/utf8.h"
#include "wire/json_valid.h"

#define ESCAPE_BYTES 6 /* \uXXXX */

static int unit_at(const char *p, const char *end)
{
	if (end - p < ESCAPE_BYTES || p[0] != '\\' || p[1] != 'u')
		return -1;
	return json_valid_hex4(p + 2);
}

/* From an escape to behind it. */
static const char *mend_escape(const char *p, const char *end, struct buf *out)
{
	int unit = unit_at(p, end), low;
	uint32_t c = (uint32_t)unit;
	char raw[4] = "";
	size_t n = unit < 0 ? 2 : ESCAPE_BYTES;

	if (unit < 0xd800 || unit > 0xdfff) {
		buf_append(out, p, n);
		return p + n;
	}
	low = unit_at(p + ESCAPE_BYTES, end);
	if (unit <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
		c = json_valid_pair(unit, low);
		n = 2 * ESCAPE_BYTES;
	}
	buf_append(out, raw, utf8_encode(c, raw));
	return p + n;
}

/* What was written since `from` is a name: U+0000 becomes bytes that no valid name holds. */
static void hide_zeros(struct buf *out, size_t from)
{
	size_t at = from;
	char *p;

	while (at < out->len) {
		p = out->data + at;
		if (unit_at(p, out->data + out->len) == 0) {
			memcpy(p, "\xc0\x80\xc0\x80\xc0\x80", ESCAPE_BYTES);
			at += ESCAPE_BYTES;
		} else {
			at += *p == '\\' ? 2 : 1;
		}
	}
}

/* From an opening quote to behind the closing one. */
static const char *mend_string(const char *p, const char *end, struct buf *out)
{
	size_t from = out->len;
	const char *run = p++, *next;

	while (*p != '"') {
		if (*p != '\\') {
			p++;
			continue;
		}
		buf_append(out, run, (size_t)(p - run));
		p = mend_escape(p, end, out);
		run = p;
	}
	p++;
	buf_append(out, run, (size_t)(p - run));
	for (next = p; next < end && strchr(" \t\r\n", *next); next++)
		;
	if (next < end && *next == ':' && !out->failed)
		hide_zeros(out, from);
	return p;
}

static bool fits(const char *p, const char *end)
{
	uint64_t most = *p == '-' ? (uint64_t)INT64_MAX + 1 : INT64_MAX, value = 0;
	unsigned digit;

	if (*p == '-')
		p++;
	for (; p < end; p++) {
		digit = (unsigned)(*p - '0');
		if (value > (most - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	return true;
}

static const char *mend_number(const char *p, const char *end, struct buf *out)
{
	const char *from = p;
	bool integer = true;

	for (; p < end && strchr("+-.eE0123456789", *p) && *p; p++)
		if (*p == '.' || *p == 'e' || *p == 'E')
			integer = false;
	buf_append(out, from, (size_t)(p - from));
	if (integer && !fits(from, p))
		buf_puts(out, "e0");
	return p;
}

/* How long the value at `p` is that json-c must not see; 0: it may. */
static size_t hidden(const char *p, const char *end, unsigned depth)
{
	struct str rest = { p, (size_t)(end - p) };

	if (*p == '{' || *p == '[')
		return depth == JSON_LOOSE_DEPTH ? json_valid_skip(rest) : 0;
	return json_valid_no_number(rest);
}

void json_mend(struct str text, struct buf *out)
{
	const char *p = text.p, *end = text.p + text.n;
	unsigned depth = 0;
	size_t n;

	while (p < end) {
		n = hidden(p, end, depth);
		if (n) {
			buf_puts(out, "null");
			p += n;
		} else if (*p == '"') {
			p = mend_string(p, end, out);
		} else if (*p == '-' || (*p >= '0' && *p <= '9')) {
			p = mend_number(p, end, out);
		} else {
			depth += *p == '{' || *p == '[';
			depth -= *p == '}' || *p == ']';
			buf_putc(out, *p++);
		}
	}
}
