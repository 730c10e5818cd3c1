#include "oracle_json.h"

#include <stdint.h>
#include <stdlib.h>

#include "fuzz.h"
#include "oracle_utf8.h"

struct reader {
	struct str rest;
	struct oracle_node *nodes; /* the next free one */
	char *bytes;		   /* the next free one */
	bool loose;
	unsigned most;
};

static struct oracle_node *value(struct reader *r, unsigned depth);

static bool accept(struct reader *r, const char *word)
{
	if (!str_starts(r->rest, str_from(word)))
		return false;
	r->rest = str_skip(r->rest, strlen(word));
	return true;
}

static void space(struct reader *r)
{
	while (accept(r, " ") || accept(r, "\t") || accept(r, "\r") || accept(r, "\n"))
		;
}

static void put(struct reader *r, uint32_t code)
{
	static const unsigned lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;

	for (i = n - 1; i > 0; i--, code >>= 6)
		r->bytes[i] = (char)(0x80 | (code & 0x3f));
	r->bytes[0] = (char)(lead[n] | code);
	r->bytes += n;
}

/* The four digits behind "\u", which is next; -1 if it is not. */
static int32_t unit(struct reader *r)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	struct str rest = r->rest;
	const char *digit;
	int32_t code = 0;
	int i;

	if (rest.n < 6 || !str_starts(rest, STR("\\u")))
		return -1;
	for (i = 2; i < 6; i++) {
		digit = rest.p[i] ? strchr(digits, rest.p[i]) : NULL;
		if (!digit)
			return -1;
		code = code * 16 + (int32_t)((digit - digits) % 16);
	}
	r->rest = str_skip(rest, 6);
	return code;
}

static bool escape(struct reader *r)
{
	static const char *const pairs[] = { "\\\"\"", "\\\\\\", "\\//",  "\\b\b",
					     "\\f\f",  "\\n\n",	 "\\r\r", "\\t\t" };
	struct str before;
	int32_t code, low;
	size_t i;

	for (i = 0; i < COUNT(pairs); i++) {
		if (str_starts(r->rest, (struct str){ pairs[i], 2 })) {
			*r->bytes++ = pairs[i][2];
			r->rest = str_skip(r->rest, 2);
			return true;
		}
	}
	code = unit(r);
	if (code < 0)
		return false;
	if (code >= 0xd800 && code < 0xdc00) {
		before = r->rest;
		low = unit(r);
		if (low >= 0xdc00 && low < 0xe000) {
			put(r,
			    0x10000 + (uint32_t)(code - 0xd800) * 0x400 + (uint32_t)(low - 0xdc00));
			return true;
		}
		r->rest = before;
	}
	put(r, (uint32_t)code);
	return r->loose || (code && !oracle_utf8_surrogate((uint32_t)code));
}

static bool string(struct reader *r, struct str *out)
{
	struct oracle_utf8 part;

	*out = (struct str){ r->bytes, 0 };
	if (!accept(r, "\""))
		return false;
	while (!accept(r, "\"")) {
		if (!r->rest.n || (unsigned char)*r->rest.p < 0x20)
			return false;
		if (*r->rest.p == '\\') {
			if (!escape(r))
				return false;
			continue;
		}
		part = oracle_utf8(r->rest);
		if (!r->loose && (!part.whole || oracle_utf8_surrogate(part.code)))
			return false;
		*r->bytes++ = *r->rest.p;
		r->rest = str_skip(r->rest, 1);
		while (!r->loose && --part.n) {
			*r->bytes++ = *r->rest.p;
			r->rest = str_skip(r->rest, 1);
		}
	}
	out->n = (size_t)(r->bytes - out->p);
	return true;
}

static size_t digits(struct reader *r)
{
	size_t n = 0;

	for (; r->rest.n && *r->rest.p >= '0' && *r->rest.p <= '9'; n++)
		r->rest = str_skip(r->rest, 1);
	return n;
}

static bool number(struct reader *r)
{
	accept(r, "-");
	if (!accept(r, "0") && !digits(r))
		return false;
	if (accept(r, ".") && !digits(r))
		return false;
	if (!accept(r, "e") && !accept(r, "E"))
		return true;
	if (!accept(r, "+"))
		accept(r, "-");
	return digits(r) > 0;
}

/* What is no number: NaN, Infinity, inf, in any case, with a sign or none. */
static bool no_number(struct reader *r)
{
	static const char *const words[] = { "NAN", "INFINITY", "INF" };
	size_t sign = r->rest.n && strchr("+-", *r->rest.p) && *r->rest.p, i, at;

	for (i = 0; i < COUNT(words); i++) {
		for (at = 0; words[i][at] && sign + at < r->rest.n; at++)
			if ((r->rest.p[sign + at] & ~0x20) != words[i][at])
				break;
		if (!words[i][at]) {
			r->rest = str_skip(r->rest, sign + at);
			return true;
		}
	}
	return false;
}

/* Behind an opening bracket, to behind the one that closes it: strings count, nothing else does. */
static bool unread(struct reader *r)
{
	size_t open = 1;
	char c;

	while (open && r->rest.n) {
		c = *r->rest.p;
		r->rest = str_skip(r->rest, 1);
		if (c == '"') {
			while (r->rest.n && *r->rest.p != '"')
				r->rest = str_skip(r->rest,
						   *r->rest.p == '\\' && r->rest.n > 1 ? 2 : 1);
			if (!accept(r, "\""))
				return false;
		}
		open += c == '{' || c == '[';
		open -= c == '}' || c == ']';
	}
	return !open;
}

static bool within(struct reader *r, struct oracle_node *node, unsigned depth)
{
	const char *end = node->kind == ORACLE_OBJECT ? "}" : "]";
	struct oracle_node **next = &node->first;
	struct str name = STR_NONE;

	if (depth == r->most)
		return false;
	space(r);
	if (accept(r, end))
		return true;
	do {
		space(r);
		if (node->kind == ORACLE_OBJECT) {
			if (!string(r, &name))
				return false;
			space(r);
			if (!accept(r, ":"))
				return false;
			space(r);
		}
		*next = value(r, depth + 1);
		if (!*next)
			return false;
		(*next)->name = name;
		next = &(*next)->next;
		node->count++;
		space(r);
	} while (accept(r, ","));
	return accept(r, end);
}

static struct oracle_node *value(struct reader *r, unsigned depth)
{
	struct oracle_node *node = r->nodes++;
	const char *from = r->rest.p;
	bool is = true;

	*node = (struct oracle_node){ .kind = ORACLE_NULL };
	if (r->loose && depth == r->most && (accept(r, "{") || accept(r, "["))) {
		is = unread(r);
	} else if (accept(r, "{") || accept(r, "[")) {
		node->kind = *from == '{' ? ORACLE_OBJECT : ORACLE_ARRAY;
		is = within(r, node, depth);
	} else if (str_starts(r->rest, STR("\""))) {
		node->kind = ORACLE_STRING;
		is = string(r, &node->value);
	} else if (accept(r, "true") || accept(r, "false")) {
		node->kind = ORACLE_BOOLEAN;
	} else if (!accept(r, "null") && !(r->loose && no_number(r))) {
		node->kind = ORACLE_NUMBER;
		is = number(r);
	}
	node->text = (struct str){ from, (size_t)(r->rest.p - from) };
	return is ? node : NULL;
}

void oracle_json_read(struct oracle_json *json, struct str text, bool loose, unsigned most)
{
	struct reader r = { .rest = text, .loose = loose, .most = most };

	/* Each value takes at least a byte, and nothing grows by being read; one more for what is missing. */
	r.nodes = json->nodes = malloc((text.n + 1) * sizeof(*json->nodes));
	r.bytes = json->bytes = malloc(text.n + 4);
	must(r.nodes && r.bytes);
	space(&r);
	json->root = value(&r, 0);
	space(&r);
	if (r.rest.n)
		json->root = NULL;
}

void oracle_json_clear(struct oracle_json *json)
{
	free(json->nodes);
	free(json->bytes);
}
