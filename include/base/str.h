/*
 * A borrowed string: pointer and length.  It owns nothing and need not end in NUL.
 * `p` NULL means absent, which is not the same as empty.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
/* For "%.*s". */
#define STR_ARGS(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_from(const char *text)
{
	return (struct str){ text, text ? strlen(text) : 0 };
}

static inline bool str_equal(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline char str_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Equal but for the case of ASCII's letters, whatever the locale. */
static inline bool str_same(struct str a, struct str b)
{
	size_t i = 0;

	while (i < a.n && i < b.n && str_lower(a.p[i]) == str_lower(b.p[i]))
		i++;
	return a.n == b.n && i == a.n;
}

/* True if `part` stands somewhere in it, as str_same() compares. */
static inline bool str_holds(struct str s, struct str part)
{
	size_t i;

	for (i = 0; i + part.n <= s.n; i++)
		if (str_same((struct str){ s.p + i, part.n }, part))
			return true;
	return false;
}

static inline bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline struct str str_skip(struct str s, size_t n)
{
	return (struct str){ s.p + n, s.n - n };
}

/* What most formats take as white space. */
#define STR_SPACE STR(" \t\r\n")

/* Without those characters at both ends. */
static inline struct str str_trim(struct str s, struct str set)
{
	while (s.n && memchr(set.p, s.p[0], set.n))
		s = str_skip(s, 1);
	while (s.n && memchr(set.p, s.p[s.n - 1], set.n))
		s.n--;
	return s;
}

/* True if it is of ASCII letters, digits and `others` only; the empty one is. */
static inline bool str_only(struct str s, struct str others)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      memchr(others.p, c, others.n)))
			return false;
	}
	return true;
}

/*
 * The number of `base`, 8 or 10, that it is the digits of: nothing else stands in it, no sign and no
 * white space. False, and *out untouched: it is none, or beyond int64_t.
 */
static inline bool str_number(struct str s, unsigned base, int64_t *out)
{
	int64_t value = 0;
	unsigned digit;
	size_t i;

	for (i = 0; i < s.n; i++) {
		digit = (unsigned)(unsigned char)s.p[i] - '0';
		if (digit >= base || value > (INT64_MAX - (int64_t)digit) / (int64_t)base)
			return false;
		value = value * (int64_t)base + digit;
	}
	if (s.n)
		*out = value;
	return s.n;
}

/* Takes what stands before the first `separator` (or all) off the front of *rest, which may be absent. */
static inline struct str str_cut(struct str *rest, struct str separator)
{
	const char *at = rest->n ? memmem(rest->p, rest->n, separator.p, separator.n) : NULL;
	struct str head = { rest->p, at ? (size_t)(at - rest->p) : rest->n };

	*rest = str_skip(*rest, at ? head.n + separator.n : head.n);
	return head;
}

/*
 * The next item of a list such as "a,b", taken off its front; false at its end. An empty list has
 * one item, the empty one; an absent one has none.
 */
static inline bool str_next(struct str *list, char separator, struct str *item)
{
	const char *at = list->n ? memchr(list->p, separator, list->n) : NULL;

	if (!list->p)
		return false;
	*item = (struct str){ list->p, at ? (size_t)(at - list->p) : list->n };
	*list = at ? str_skip(*list, item->n + 1) : STR_NONE;
	return true;
}

/* The same from its other end. */
static inline bool str_last(struct str *list, char separator, struct str *item)
{
	const char *at = list->n ? memrchr(list->p, separator, list->n) : NULL;

	if (!list->p)
		return false;
	*item = at ? str_skip(*list, (size_t)(at + 1 - list->p)) : *list;
	*list = at ? (struct str){ list->p, (size_t)(at - list->p) } : STR_NONE;
	return true;
}

#endif
