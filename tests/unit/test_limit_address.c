/* The client's address (G9): its forms, and X-Forwarded-For read from the right. */
#include "unit.h"

#include "chat/limit_address.h"

static void addresses(void **state)
{
	static const char nets[] = "10.0.0.0/8, 192.168.1.1,2001:db8:f::/48,127.0.0.0/9 ,fd00::5";
	static const struct {
		const char *remote, *forwarded, *trusted, *expected;
	} cases[] = {
		/* forms */
		{ "192.0.2.1", NULL, "", "192.0.2.1" },
		{ " 192.0.2.1 ", "", "", "192.0.2.1" },
		{ "::ffff:192.0.2.1", NULL, "", "192.0.2.1" },
		{ "::FFFF:c000:201", NULL, "", "192.0.2.1" },
		{ "2001:db8:1:2:3:4:5:6", NULL, "", "2001:db8:1:2::/64" },
		{ "2001:DB8:1:2::", NULL, "", "2001:db8:1:2::/64" },
		{ "2001:db8:1:2:ffff:ffff:ffff:ffff", NULL, "", "2001:db8:1:2::/64" },
		{ "::1", NULL, "", "::/64" },
		{ "fe80::1%eth0", NULL, "", "fe80::/64" },
		{ "192.0.2.1:443", NULL, "", "192.0.2.1" },
		{ "[2001:db8::1]:443", NULL, "", "2001:db8::/64" },
		/* none */
		{ "", "192.0.2.1", "", "unknown" },
		{ NULL, "192.0.2.1", "0.0.0.0/0,::/0", "unknown" },
		{ "unix:", NULL, "", "unknown" },
		{ "192.0.2.256", NULL, "", "unknown" },
		{ "192.0.2.1.", NULL, "", "unknown" },
		{ "[192.0.2.1]", NULL, "", "unknown" },
		{ "[::1", NULL, "", "unknown" },
		{ "[::1]x", NULL, "", "unknown" },
		/* not trusted: forwarded is not read */
		{ "192.0.2.1", "198.51.100.1", "", "192.0.2.1" },
		{ "192.0.2.1", "198.51.100.1", nets, "192.0.2.1" },
		{ "11.0.0.1", "198.51.100.1", nets, "11.0.0.1" },
		{ "127.128.0.1", "198.51.100.1", nets, "127.128.0.1" },
		/* trusted: from the right, to the first that is not */
		{ "10.1.2.3", "198.51.100.1", nets, "198.51.100.1" },
		{ "::ffff:10.1.2.3", "198.51.100.1", nets, "198.51.100.1" },
		{ "127.127.0.1", "198.51.100.1", nets, "198.51.100.1" },
		{ "192.168.1.1", "203.0.113.9, 198.51.100.1", nets, "198.51.100.1" },
		{ "192.168.1.1", "203.0.113.9, 198.51.100.1 ,10.9.9.9,\t2001:db8:f:1::2", nets,
		  "198.51.100.1" },
		{ "10.0.0.1", "198.51.100.1:5555, fd00::5", nets, "198.51.100.1" },
		{ "10.0.0.1", "[2001:db8:2:3::4]:5555, [fd00::5]:80", nets, "2001:db8:2:3::/64" },
		{ "fd00::5", "fd00::6", nets, "fd00::/64" },
		{ "10.0.0.1", "198.51.100.1, , ,", nets, "198.51.100.1" },
		/* garbage ends the reading: the proxy that passed it on is counted */
		{ "10.0.0.1", "198.51.100.1, unknown", nets, "10.0.0.1" },
		{ "10.0.0.1", "198.51.100.1, evil, 10.0.0.2", nets, "10.0.0.2" },
		{ "10.0.0.1", "evil, 198.51.100.1", nets, "198.51.100.1" },
		/* all trusted, or nothing said */
		{ "10.0.0.1", "10.0.0.3, 10.0.0.2", nets, "10.0.0.3" },
		{ "10.0.0.1", NULL, nets, "10.0.0.1" },
		{ "10.0.0.1", "", nets, "10.0.0.1" },
		{ "192.0.2.1", "198.51.100.1,192.0.2.2", "0.0.0.0/0", "198.51.100.1" },
		{ "192.0.2.1", "2001:db8::9,192.0.2.2", "0.0.0.0/0", "2001:db8::/64" },
		{ "192.0.2.1", "2001:db8::9,192.0.2.2", "::ffff:192.0.2.0/120", "2001:db8::/64" },
	};
	char out[LIMIT_ADDRESS_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		limit_address(str_from(cases[i].remote), str_from(cases[i].forwarded),
			      str_from(cases[i].trusted), out);
		if (strcmp(out, cases[i].expected) != 0)
			print_error("case %zu\n", i);
		assert_string_equal(out, cases[i].expected);
	}
}

/* A header as long as a web server lets through, and bytes of every value. */
static void hostile_forwarded(void **state)
{
	static char text[65536];
	char out[LIMIT_ADDRESS_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++)
		text[i] = "10.0.0.1,"[i % 9];
	limit_address(STR("10.0.0.1"), (struct str){ text, sizeof(text) }, STR("10.0.0.0/8"), out);
	assert_string_equal(out, "10.0.0.1");
	memset(text, ',', sizeof(text));
	limit_address(STR("10.0.0.1"), (struct str){ text, sizeof(text) }, STR("10.0.0.0/8"), out);
	assert_string_equal(out, "10.0.0.1");
	srand(1);
	for (i = 0; i < 200000; i++) {
		char bytes[24];
		size_t k, n = (size_t)rand() % sizeof(bytes);

		for (k = 0; k < n; k++)
			bytes[k] = i % 2 ? (char)rand() : "0123456789abf.:[]%/, "[rand() % 21];
		limit_address((struct str){ bytes, n }, (struct str){ bytes, n }, STR("::/0"), out);
		assert_true(memchr(out, '\0', sizeof(out)) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(hostile_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
