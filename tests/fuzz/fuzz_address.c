/*
 * chat/limit_address: whatever the web server and X-Forwarded-For say, the answer is one canonical address, an IPv6
 * network, or "unknown"; and what a client adds at the left of the header decides nothing but its own name.
 * An input is REMOTE_ADDR|X-Forwarded-For|trusted.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "chat/limit_address.h"
#include "wire/address.h"
#include "wire/config_value.h"

#define STRANGER "203.0.113.77"

static struct str part(struct str *rest)
{
	struct str head = *rest;
	const char *bar = rest->n ? memchr(rest->p, '|', rest->n) : NULL;

	if (bar)
		head.n = (size_t)(bar - rest->p);
	*rest = bar ? str_skip(*rest, head.n + 1) : STR_NONE;
	return fuzz_copy(head);
}

/* In memory of its own size, so that a byte too many is seen. */
static char *counted(struct str remote, struct str forwarded, struct str trusted)
{
	char *out = malloc(LIMIT_ADDRESS_SIZE);

	must(out);
	memset(out, 'x', LIMIT_ADDRESS_SIZE);
	limit_address(remote, forwarded, trusted, out);
	must(memchr(out, '\0', LIMIT_ADDRESS_SIZE));
	return out;
}

static void canonical(const char *out)
{
	char text[LIMIT_ADDRESS_SIZE], again[LIMIT_ADDRESS_SIZE];
	static const unsigned char none[8];
	struct in6_addr six;
	struct in_addr four;
	char *slash, *same;

	if (strcmp(out, "unknown") == 0)
		return;
	strcpy(text, out);
	slash = strchr(text, '/');
	if (slash) {
		must(strcmp(slash, "/64") == 0);
		*slash = '\0';
		must(inet_pton(AF_INET6, text, &six) == 1);
		must(!IN6_IS_ADDR_V4MAPPED(&six) && memcmp(six.s6_addr + 8, none, 8) == 0);
		must(inet_ntop(AF_INET6, &six, again, sizeof(again)));
	} else {
		must(inet_pton(AF_INET, text, &four) == 1);
		must(inet_ntop(AF_INET, &four, again, sizeof(again)));
	}
	must(strcmp(again, text) == 0);
	/* Counted by itself it is what it is. */
	same = counted(str_from(text), STR_NONE, STR_NONE);
	must(strcmp(same, out) == 0);
	free(same);
}

/* The header with something before what is there. */
static char *with(const char *added, struct str remote, struct str forwarded, struct str trusted)
{
	struct buf header;
	char *out;

	buf_init(&header, forwarded.n + 64);
	buf_printf(&header, "%s,", added);
	buf_str(&header, forwarded);
	out = counted(remote, buf_view(&header), trusted);
	buf_clear(&header);
	return out;
}

/* An address in its IPv6 form; false: `text` is none. */
static bool read_address(const char *text, struct in6_addr *out, bool *v4)
{
	char mapped[LIMIT_ADDRESS_SIZE + 8];
	struct in_addr four;

	*v4 = inet_pton(AF_INET, text, &four) == 1;
	snprintf(mapped, sizeof(mapped), "%s%s", *v4 ? "::ffff:" : "", text);
	return inet_pton(AF_INET6, mapped, out) == 1;
}

static bool in_block(const struct in6_addr *address, const char *text)
{
	char plain[LIMIT_ADDRESS_SIZE];
	struct in6_addr block;
	int bits = -1, bit, i;
	bool v4;

	must(sscanf(text, " %47[^/ \t\r\n\v\f] /%d", plain, &bits) >= 1);
	must(read_address(plain, &block, &v4));
	bits = bits < 0 ? 128 : bits + (v4 ? 96 : 0);
	for (i = 0; i < bits; i++) {
		bit = 0x80 >> i % 8;
		if ((address->s6_addr[i / 8] & bit) != (block.s6_addr[i / 8] & bit))
			return false;
	}
	return true;
}

/* Each item is a block, but for the white space around it; an empty list is one, too. */
static bool blocks_only(struct str list)
{
	struct address_block block;
	struct str item;

	if (!str_trim(list, STR_SPACE).n)
		return true;
	while (str_next(&list, ',', &item))
		if (!address_read_block(str_trim(item, STR_SPACE), &block))
			return false;
	return true;
}

/* Whoever is trusted is asked for whom it speaks, and nobody else is. */
static void trust(struct str remote, struct str trusted)
{
	char text[LIMIT_ADDRESS_SIZE], *list, *rest, *element, *out;
	struct in6_addr address, stranger;
	bool v4, asked = false;

	if (!remote.n || remote.n >= sizeof(text) || !trusted.n || !blocks_only(trusted))
		return;
	memcpy(text, remote.p, remote.n);
	text[remote.n] = '\0';
	must(read_address(STRANGER, &stranger, &v4));
	if (!read_address(text, &address, &v4) || memcmp(&address, &stranger, sizeof(address)) == 0)
		return;
	rest = list = strndup(trusted.p, trusted.n);
	must(list);
	while ((element = strsep(&rest, ",")) && strspn(element, " \t\r\n\v\f") < strlen(element))
		asked = asked || in_block(&address, element);
	free(list);
	out = counted(str_from(text), STR(STRANGER), trusted);
	must((strcmp(out, STRANGER) == 0) == asked);
	free(out);
}

static void trusted_list(struct str list)
{
	struct buf normal;
	bool valid = blocks_only(list);

	buf_init(&normal, list.n);
	if (config_value_proxies(list.p ? list : STR(""), &normal)) {
		must(valid);
		must(blocks_only(buf_view(&normal)));
	}
	must(buf_check(&normal) == STATUS_OK);
	buf_clear(&normal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, remote = part(&rest),
		   forwarded = part(&rest), trusted = part(&rest);
	char *out = counted(remote, forwarded, trusted), *alone, *other;

	canonical(out);
	trusted_list(trusted);
	trust(remote, trusted);
	/* Nobody is trusted: nobody is asked. */
	alone = counted(remote, STR_NONE, STR_NONE);
	other = counted(remote, forwarded, STR_NONE);
	must(strcmp(other, alone) == 0);
	free(other);
	other = counted(remote, STR_NONE, trusted);
	must(strcmp(other, alone) == 0);
	must((strcmp(out, "unknown") == 0) == (strcmp(alone, "unknown") == 0));
	free(other);
	free(alone);
	/*
	 * Read from the right: the left end is heard only if all behind it is trusted; what is no address is not heard,
	 * nor anything before it.
	 */
	other = with(STRANGER, remote, forwarded, trusted);
	must(strcmp(other, out) == 0 || strcmp(other, STRANGER) == 0);
	free(other);
	other = with(STRANGER ",nobody", remote, forwarded, trusted);
	must(strcmp(other, out) == 0);
	free(other);
	free(out);
	fuzz_free(remote);
	fuzz_free(forwarded);
	fuzz_free(trusted);
	return 0;
}
