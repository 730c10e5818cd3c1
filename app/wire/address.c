/* Addresses of both families.  Rests on inet_pton(3), which is strict, and inet_ntop(3). */
#include "wire/address.h"

#include <arpa/inet.h>
#include <string.h>

#define BITS 128
#define BITS_V4_AT 96 /* where the IPv4 part of a mapped address begins */
#define HOST_MOST 253

static bool read_family(struct str text, int family, void *out)
{
	char copy[INET6_ADDRSTRLEN];

	if (!text.n || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	return inet_pton(family, copy, out) == 1;
}

bool address_read(struct str text, struct address *out)
{
	struct in_addr four;

	if (!read_family(text, AF_INET, &four))
		return read_family(text, AF_INET6, &out->bytes);
	*out = (struct address){ .bytes.s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(out->bytes.s6_addr + BITS_V4_AT / 8, &four, sizeof(four));
	return true;
}

/* Up to `most_digits` of them; -1: anything else. */
static int64_t number(struct str text, size_t most_digits)
{
	int64_t value = -1;

	return text.n <= most_digits && str_number(text, 10, &value) ? value : -1;
}

/* ":80": any number there, for it is dropped. */
static bool is_port_behind(struct str text)
{
	return text.n && *text.p == ':' && number(str_skip(text, 1), 5) >= 0;
}

static const char *find(struct str text, char c)
{
	return text.n ? memchr(text.p, c, text.n) : NULL;
}

bool address_read_peer(struct str text, struct address *out)
{
	const char *end, *zone;
	struct str rest;

	if (text.n && *text.p == '[') {
		end = find(text, ']');
		if (!end)
			return false;
		rest = str_skip(text, (size_t)(end + 1 - text.p));
		if (rest.n && !is_port_behind(rest))
			return false;
		text = (struct str){ text.p + 1, (size_t)(end - text.p) - 1 };
		if (!find(text, ':'))
			return false;
	} else if (find(text, '.')) {
		end = find(text, ':');
		if (end && is_port_behind(str_skip(text, (size_t)(end - text.p))))
			text.n = (size_t)(end - text.p);
	}
	zone = find(text, '%');
	if (zone && find(text, ':'))
		text.n = (size_t)(zone - text.p);
	return address_read(text, out);
}

bool address_read_block(struct str text, struct address_block *out)
{
	const char *slash = find(text, '/');
	struct str address = { text.p, slash ? (size_t)(slash - text.p) : text.n };
	int64_t bits;
	bool v4;

	if (!address_read(address, &out->address))
		return false;
	v4 = !find(address, ':');
	out->bits = BITS;
	if (!slash)
		return true;
	bits = number(str_skip(text, address.n + 1), 3);
	if (bits < 0 || bits > (v4 ? BITS - BITS_V4_AT : BITS))
		return false;
	out->bits = (int)bits + (v4 ? BITS_V4_AT : 0);
	return true;
}

bool address_within(const struct address *address, const struct address_block *block)
{
	const unsigned char *a = address->bytes.s6_addr, *b = block->address.bytes.s6_addr;
	int whole = block->bits / 8, left = block->bits % 8;

	if (memcmp(a, b, (size_t)whole) != 0)
		return false;
	return !left || !((a[whole] ^ b[whole]) >> (8 - left));
}

bool address_is_v4(const struct address *address)
{
	return IN6_IS_ADDR_V4MAPPED(&address->bytes);
}

void address_write(const struct address *address, char out[ADDRESS_TEXT_SIZE])
{
	const unsigned char *bytes = address->bytes.s6_addr;

	if (address_is_v4(address))
		inet_ntop(AF_INET, bytes + BITS_V4_AT / 8, out, ADDRESS_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, bytes, out, ADDRESS_TEXT_SIZE);
}

bool address_split(struct str text, struct str *host, struct str *port)
{
	struct in6_addr six;
	struct str name, digits;
	const char *end;
	int64_t value;

	if (text.n && *text.p == '[') {
		text = str_skip(text, 1);
		end = find(text, ']');
		if (!end)
			return false;
		name = (struct str){ text.p, (size_t)(end - text.p) };
		text = str_skip(text, name.n + 1);
		if (!read_family(name, AF_INET6, &six) || (text.n && *text.p != ':'))
			return false;
	} else {
		end = find(text, ':');
		name = (struct str){ text.p, end ? (size_t)(end - text.p) : text.n };
		if (!name.n || name.n > HOST_MOST || !str_only(name, STR("-._")))
			return false;
		text = str_skip(text, name.n);
	}
	digits = text.n ? str_skip(text, 1) : STR_NONE;
	value = number(digits, 5);
	if (text.n && (value < 1 || value > 65535))
		return false;
	*host = name;
	*port = digits;
	return true;
}
