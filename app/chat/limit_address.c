/*
 * Whose request it is (G9): the client's address from the web server's word and X-Forwarded-For.
 * Text in, text out.  Every address is handled in its IPv6 form, so that IPv4 and IPv4-mapped IPv6
 * are one.
 */
#include "chat/limit.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define BITS 128
#define BITS_V4_AT 96 /* where the IPv4 part of a mapped address begins */

/* A plain address, without port or brackets. */
static bool parse_plain(struct str s, struct in6_addr *out, bool *v4)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr four;

	if (!s.n || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*v4 = inet_pton(AF_INET, text, &four) == 1;
	if (!*v4)
		return inet_pton(AF_INET6, text, out) == 1;
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(out->s6_addr + 12, &four, sizeof(four));
	return true;
}

static bool is_port(struct str s)
{
	size_t i;

	if (s.n < 2 || s.n > 6 || s.p[0] != ':')
		return false;
	for (i = 1; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

/*
 * As proxies write one: "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]",
 * "[2001:db8::1]:80", "fe80::1%eth0".
 */
static bool parse_address(struct str s, struct in6_addr *out)
{
	const char *end, *zone;
	struct str rest;
	bool v4;

	s = str_trim(s, STR_SPACE);
	if (s.n && s.p[0] == '[') {
		end = memchr(s.p, ']', s.n);
		if (!end)
			return false;
		rest = str_skip(s, (size_t)(end + 1 - s.p));
		if (rest.n && !is_port(rest))
			return false;
		s = (struct str){ s.p + 1, (size_t)(end - s.p) - 1 };
		if (!memchr(s.p, ':', s.n))
			return false;
	} else if (s.n && memchr(s.p, '.', s.n)) {
		end = memchr(s.p, ':', s.n);
		if (end && is_port(str_skip(s, (size_t)(end - s.p))))
			s.n = (size_t)(end - s.p);
	}
	zone = s.n ? memchr(s.p, '%', s.n) : NULL;
	if (zone && memchr(s.p, ':', s.n))
		s.n = (size_t)(zone - s.p);
	return parse_plain(s, out, &v4);
}

/* "address" or "address/bits"; *bits counts in the IPv6 form. */
static bool parse_block(struct str s, struct in6_addr *out, int *bits)
{
	const char *slash;
	struct str number;
	bool v4;
	size_t i;

	s = str_trim(s, STR_SPACE);
	slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	number = slash ? str_skip(s, (size_t)(slash + 1 - s.p)) : STR_NONE;
	if (slash)
		s.n = (size_t)(slash - s.p);
	if (!parse_plain(s, out, &v4))
		return false;
	*bits = BITS;
	if (!slash)
		return true;
	if (number.n < 1 || number.n > 3)
		return false;
	*bits = 0;
	for (i = 0; i < number.n; i++) {
		if (!isdigit((unsigned char)number.p[i]))
			return false;
		*bits = *bits * 10 + (number.p[i] - '0');
	}
	if (v4)
		*bits += BITS_V4_AT;
	return *bits <= BITS;
}

/* The next element of a comma-separated list; false at its end. */
static bool next_of(struct str *list, struct str *element)
{
	const char *comma;

	if (!list->p)
		return false;
	comma = list->n ? memchr(list->p, ',', list->n) : NULL;
	*element = *list;
	if (comma) {
		element->n = (size_t)(comma - list->p);
		*list = str_skip(*list, element->n + 1);
	} else {
		*list = STR_NONE;
	}
	return true;
}

static bool within(const struct in6_addr *address, const struct in6_addr *block, int bits)
{
	int bytes = bits / 8, left = bits % 8;

	if (memcmp(address, block, (size_t)bytes) != 0)
		return false;
	return !left || !((address->s6_addr[bytes] ^ block->s6_addr[bytes]) >> (8 - left));
}

static bool is_trusted(const struct in6_addr *address, struct str list)
{
	struct in6_addr block;
	struct str element;
	int bits;

	while (next_of(&list, &element))
		if (parse_block(element, &block, &bits) && within(address, &block, bits))
			return true;
	return false;
}

static void write_out(struct in6_addr address, char out[LIMIT_ADDRESS_SIZE])
{
	if (IN6_IS_ADDR_V4MAPPED(&address)) {
		inet_ntop(AF_INET, address.s6_addr + 12, out, LIMIT_ADDRESS_SIZE);
		return;
	}
	memset(address.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &address, out, LIMIT_ADDRESS_SIZE - 3);
	strcat(out, "/64");
}

/* Cuts the last element off a comma-separated list; false if there is none. */
static bool last_of(struct str *list, struct str *element)
{
	const char *comma;

	if (!list->p)
		return false;
	comma = list->n ? memrchr(list->p, ',', list->n) : NULL;
	if (comma) {
		*element = str_skip(*list, (size_t)(comma + 1 - list->p));
		list->n = (size_t)(comma - list->p);
	} else {
		*element = *list;
		*list = STR_NONE;
	}
	return true;
}

void limit_address(struct str remote, struct str forwarded, struct str trusted,
		   char out[LIMIT_ADDRESS_SIZE])
{
	struct in6_addr address, before;
	struct str element;

	if (!parse_address(remote, &address)) {
		strcpy(out, "unknown");
		return;
	}
	while (is_trusted(&address, trusted) && last_of(&forwarded, &element)) {
		if (!str_trim(element, STR_SPACE).n)
			continue;
		if (!parse_address(element, &before))
			break;
		address = before;
	}
	write_out(address, out);
}

bool limit_trusted_valid(struct str list)
{
	struct in6_addr block;
	struct str element;
	int bits;

	if (!str_trim(list, STR_SPACE).n)
		return true;
	while (next_of(&list, &element))
		if (!parse_block(element, &block, &bits))
			return false;
	return true;
}
