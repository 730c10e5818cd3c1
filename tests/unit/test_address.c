/* wire/address: both families, what proxies add, blocks, HOST:PORT. */
#include "unit.h"

#include "wire/address.h"

static void plain_and_as_proxies_write_them(void **state)
{
	static const struct {
		struct str text;
		const char *plain, *peer; /* as it is written again; NULL: none */
	} cases[] = {
		{ STR("192.0.2.1"), "192.0.2.1", "192.0.2.1" },
		{ STR("2001:DB8:0::1"), "2001:db8::1", "2001:db8::1" },
		{ STR("::"), "::", "::" },
		{ STR("::ffff:192.0.2.1"), "192.0.2.1", "192.0.2.1" },
		{ STR("::ffff:c000:201"), "192.0.2.1", "192.0.2.1" },
		{ STR("192.0.2.1:80"), NULL, "192.0.2.1" },
		{ STR("192.0.2.1:99999"), NULL, "192.0.2.1" },
		{ STR("[2001:db8::1]"), NULL, "2001:db8::1" },
		{ STR("[2001:db8::1]:80"), NULL, "2001:db8::1" },
		{ STR("fe80::1%eth0"), NULL, "fe80::1" },
		{ STR("[fe80::1%eth0]:80"), NULL, "fe80::1" },
		{ STR("::ffff:192.0.2.1%1"), NULL, "192.0.2.1" },
		{ STR_NONE, NULL, NULL },
		{ STR(""), NULL, NULL },
		{ STR(" 192.0.2.1"), NULL, NULL },
		{ STR("192.0.2.1 "), NULL, NULL },
		{ STR("192.0.2.1\0"), NULL, NULL },
		{ STR("192.0.2"), NULL, NULL },
		{ STR("192.0.2.01"), NULL, NULL },
		{ STR("192.0.2.1%eth0"), NULL, NULL },
		{ STR("192.0.2.1:"), NULL, NULL },
		{ STR("192.0.2.1:x"), NULL, NULL },
		{ STR("192.0.2.1:123456"), NULL, NULL },
		{ STR("[192.0.2.1]"), NULL, NULL },
		{ STR("[::1"), NULL, NULL },
		{ STR("[::1]80"), NULL, NULL },
		{ STR("[::1]:"), NULL, NULL },
		{ STR("::1]"), NULL, NULL },
		{ STR("localhost"), NULL, NULL },
		{ STR("1:2:3:4:5:6:7:8:9"), NULL, NULL },
		{ STR("0000:0000:0000:0000:0000:ffff:255.255.255.255x"), NULL, NULL },
	};
	char out[ADDRESS_TEXT_SIZE];
	struct address address;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (address_read(cases[i].text, &address) != !!cases[i].plain)
			fail_msg("plain: %.*s", STR_ARGS(cases[i].text));
		if (cases[i].plain) {
			address_write(&address, out);
			assert_string_equal(out, cases[i].plain);
			assert_int_equal(address_is_v4(&address), !strchr(out, ':'));
		}
		if (address_read_peer(cases[i].text, &address) != !!cases[i].peer)
			fail_msg("peer: %.*s", STR_ARGS(cases[i].text));
		if (cases[i].peer) {
			address_write(&address, out);
			assert_string_equal(out, cases[i].peer);
		}
	}
}

static void blocks_hold_addresses(void **state)
{
	static const struct {
		const char *block;
		int bits; /* -1: none */
		const char *in, *out;
	} cases[] = {
		{ "10.0.0.0/8", 104, "10.255.0.1", "11.0.0.0" },
		{ "10.0.0.1", 128, "10.0.0.1", "10.0.0.2" },
		{ "127.0.0.0/9", 105, "127.127.0.1", "127.128.0.1" },
		{ "0.0.0.0/0", 96, "203.0.113.1", "2001:db8::1" },
		{ "10.0.0.0/32", 128, "10.0.0.0", "10.0.0.1" },
		{ "::/0", 0, "203.0.113.1", NULL },
		{ "2001:db8::/33", 33, "2001:db8:7fff::1", "2001:db8:8000::1" },
		{ "::ffff:192.0.2.0/120", 120, "192.0.2.77", "192.0.3.0" },
		{ "::1/128", 128, "::1", "::2" },
		{ "10.0.0.0/33", -1, NULL, NULL },
		{ "::/129", -1, NULL, NULL },
		{ "10.0.0.0/", -1, NULL, NULL },
		{ "10.0.0.0/-1", -1, NULL, NULL },
		{ "10.0.0.0/8x", -1, NULL, NULL },
		{ "10.0.0.0/8/8", -1, NULL, NULL },
		{ "10.0.0.0/0008", -1, NULL, NULL },
		{ "10.0.0/8", -1, NULL, NULL },
		{ "/8", -1, NULL, NULL },
		{ "[::1]/8", -1, NULL, NULL },
		{ "10.0.0.1:80", -1, NULL, NULL },
		{ " 10.0.0.1", -1, NULL, NULL },
		{ "", -1, NULL, NULL },
	};
	struct address_block block;
	struct address address;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (address_read_block(str_from(cases[i].block), &block) != (cases[i].bits >= 0))
			fail_msg("%s", cases[i].block);
		if (cases[i].bits < 0)
			continue;
		assert_int_equal(block.bits, cases[i].bits);
		assert_true(address_read(str_from(cases[i].in), &address));
		assert_true(address_within(&address, &block));
		if (!cases[i].out)
			continue;
		assert_true(address_read(str_from(cases[i].out), &address));
		assert_false(address_within(&address, &block));
	}
}

static void host_and_port_are_parted(void **state)
{
	static const struct {
		struct str text;
		const char *host, *port; /* NULL: absent; no host: refused */
	} cases[] = {
		{ STR("localhost"), "localhost", NULL },
		{ STR("host_1.local-x:65535"), "host_1.local-x", "65535" },
		{ STR("127.0.0.1:9000"), "127.0.0.1", "9000" },
		{ STR("[::1]"), "::1", NULL },
		{ STR("[::1]:1"), "::1", "1" },
		{ STR(""), NULL, NULL },
		{ STR(":80"), NULL, NULL },
		{ STR("host:"), NULL, NULL },
		{ STR("host:0"), NULL, NULL },
		{ STR("host:65536"), NULL, NULL },
		{ STR("host:000080"), NULL, NULL },
		{ STR("host:http"), NULL, NULL },
		{ STR("::1"), NULL, NULL },
		{ STR("::1:80"), NULL, NULL },
		{ STR("[::1"), NULL, NULL },
		{ STR("[::1]80"), NULL, NULL },
		{ STR("[127.0.0.1]:80"), NULL, NULL },
		{ STR("a b:80"), NULL, NULL },
		{ STR("u@host:80"), NULL, NULL },
		{ STR("host\0:80"), NULL, NULL },
	};
	char big[256];
	struct str host, port;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		host = port = STR("untouched");
		if (address_split(cases[i].text, &host, &port) != !!cases[i].host)
			fail_msg("%.*s", STR_ARGS(cases[i].text));
		if (cases[i].host) {
			assert_same(host, str_from(cases[i].host));
			assert_int_equal(port.p != NULL, cases[i].port != NULL);
			assert_true(str_equal(port, str_from(cases[i].port)));
		} else {
			assert_str(host, "untouched");
			assert_str(port, "untouched");
		}
	}
	memset(big, 'x', sizeof(big));
	assert_true(address_split((struct str){ big, 253 }, &host, &port));
	assert_false(address_split((struct str){ big, 254 }, &host, &port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_and_as_proxies_write_them),
		cmocka_unit_test(blocks_hold_addresses),
		cmocka_unit_test(host_and_port_are_parted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
