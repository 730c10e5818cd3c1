/*
 * Whose request it is (G9): the client's address from the web server's word and X-Forwarded-For.
 * Text in, text out; how an address is written is wire/address's.
 */
#include "chat/limit_address.h"

#include <string.h>

#include "wire/address.h"

static bool is_trusted(const struct address *address, struct str list)
{
	struct address_block block;
	struct str item;

	while (str_next(&list, ',', &item))
		if (address_read_block(str_trim(item, STR_SPACE), &block) &&
		    address_within(address, &block))
			return true;
	return false;
}

/* IPv6 by its /64: what one customer of a network has. */
static void write_out(struct address address, char out[LIMIT_ADDRESS_SIZE])
{
	bool v4 = address_is_v4(&address);

	_Static_assert(LIMIT_ADDRESS_SIZE >= ADDRESS_TEXT_SIZE, "any address fits");
	if (!v4)
		memset(address.bytes.s6_addr + 8, 0, 8);
	address_write(&address, out);
	if (!v4)
		strcat(out, "/64");
}

void limit_address(struct str remote, struct str forwarded, struct str trusted,
		   char out[LIMIT_ADDRESS_SIZE])
{
	struct address address, before;
	struct str item;

	if (!address_read_peer(str_trim(remote, STR_SPACE), &address)) {
		strcpy(out, "unknown");
		return;
	}
	while (is_trusted(&address, trusted) && str_last(&forwarded, ',', &item)) {
		item = str_trim(item, STR_SPACE);
		if (!item.n)
			continue;
		if (!address_read_peer(item, &before))
			break;
		address = before;
	}
	write_out(address, out);
}
