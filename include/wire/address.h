/*
 * Internet addresses as text: plain, as proxies write them, blocks of them, and HOST:PORT.  Text in,
 * values out; no resolver is asked.  Nothing here trims: white space around is the caller's.
 */
#ifndef WIRE_ADDRESS_H
#define WIRE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "base/str.h"

/* Always in the IPv6 form, so that IPv4 and IPv4-mapped IPv6 are one. */
struct address {
	struct in6_addr bytes;
};

struct address_block {
	struct address address;
	int bits; /* the first ones that count, of the 128 */
};

#define ADDRESS_TEXT_SIZE INET6_ADDRSTRLEN

/* "192.0.2.1" or "2001:db8::1", nothing around it. False, and *out undefined: none. */
bool address_read(struct str text, struct address *out);
/*
 * The same, and with what proxies add to one: "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80",
 * "fe80::1%eth0"; what they add is dropped.
 */
bool address_read_peer(struct str text, struct address *out);
/* ADDRESS or ADDRESS/BITS, of 32 or 128 bits as the address is written. */
bool address_read_block(struct str text, struct address_block *out);
bool address_within(const struct address *address, const struct address_block *block);
bool address_is_v4(const struct address *address);
/* Canonically, IPv4 in its own form, with NUL. */
void address_write(const struct address *address, char out[ADDRESS_TEXT_SIZE]);

/*
 * HOST, HOST:PORT, [V6] or [V6]:PORT in its parts, without brackets and colon; *port is absent where
 * there is none. A host is 1 to 253 letters, digits, - . _; a port is 1 to 65535. False, and nothing
 * set: anything else.
 */
bool address_split(struct str text, struct str *host, struct str *port);

#endif
