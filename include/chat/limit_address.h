/* Whose request it is, for the limits. Text in, text out. */
#ifndef CHAT_LIMIT_ADDRESS_H
#define CHAT_LIMIT_ADDRESS_H

#include "base/str.h"

/*
 * The client's address as it is counted (G9): `remote` unless it is one of `trusted`
 * (comma-separated addresses or CIDR blocks; unix-socket peers have remote ""), then the rightmost
 * address of `forwarded` (X-Forwarded-For) that is not trusted. IPv4 whole (also IPv4-mapped IPv6),
 * IPv6 by its /64. Written canonically ("192.0.2.1", "2001:db8:1:2::/64"), with NUL, into `out`;
 * "unknown" where there is no address at all. An element of `forwarded` that is no address ends the
 * reading: the proxy that passed it on is counted.
 */
#define LIMIT_ADDRESS_SIZE 48
void limit_address(struct str remote, struct str forwarded, struct str trusted,
		   char out[LIMIT_ADDRESS_SIZE]);

#endif
