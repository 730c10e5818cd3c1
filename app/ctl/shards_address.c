/* An address is written down without a user: whoever calls the router is the same user at its partitions. */
#include "ctl/shards_address.h"

#include <stdbool.h>
#include <string.h>

#include "base/count.h"
#include "cli/call.h"
#include "edge/db.h"

#define CAP 4096

static const char *const strange[] = { "user", "password", "passfile", "service", "options" };

static bool fits(const char *address)
{
	bool database = false;
	const char *word;
	size_t i, n;

	for (word = address; *word; word += strspn(word, " ")) {
		n = strcspn(word, " =");
		for (i = 0; i < COUNT(strange); i++)
			if (strlen(strange[i]) == n && strncmp(word, strange[i], n) == 0)
				return false;
		database |= n == 6 && strncmp(word, "dbname", n) == 0;
		word += strcspn(word, " ");
	}
	return database && db_url_check(address) == STATUS_OK;
}

int shards_address_look(const char *command, const char *address, const char *example)
{
	return fits(address) ? CLI_DONE
			     : cli_say(CLI_WRONG,
				       "%s: \"%s\" is no address: a server and a database are, "
				       "\"%s\", without a user and a password",
				       command, address, example);
}

int shards_address_put(const char *address, const char *user, struct buf *out)
{
	buf_init(out, CAP);
	buf_printf(out, "%s user='", address);
	for (; *user; user++) {
		if (*user == '\'' || *user == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *user);
	}
	buf_putc(out, '\'');
	return buf_check(out) ? cli_say(CLI_FAILED, "an address is too long") : CLI_DONE;
}
