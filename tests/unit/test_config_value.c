/* wire/config_value: every kind of value, and that no message repeats one. */
#include "unit_config.h"

#include "base/log.h"

static void numbers_have_bounds(void **state)
{
	static const struct {
		struct str text;
		int64_t value; /* -1: refused */
	} cases[] = {
		{ STR("1"), 1 },     { STR("4096"), 4096 },
		{ STR("0016"), 16 }, { STR("0"), -1 },
		{ STR("4097"), -1 }, { STR(""), -1 },
		{ STR("-1"), -1 },   { STR("+1"), -1 },
		{ STR(" 1"), -1 },   { STR("1 "), -1 },
		{ STR("1.0"), -1 },  { STR("0x10"), -1 },
		{ STR("1e3"), -1 },  { STR("16\0"), -1 },
		{ STR("many"), -1 }, { STR("99999999999999999999999"), -1 },
		{ STR_NONE, -1 },
	};
	struct config config;
	size_t i;

	(void)state;
	must_init(&config);
	for (i = 0; i < COUNT(cases); i++) {
		config.workers = (struct config_range){ 77, 77 };
		assert_int_equal(must_say(&config, "BANTER_WORKERS", cases[i].text),
				 cases[i].value < 0 ? STATUS_INVALID : STATUS_OK);
		assert_int_equal(config.workers.least, cases[i].value < 0 ? 77 : cases[i].value);
		assert_int_equal(config.workers.most, cases[i].value < 0 ? 77 : cases[i].value);
	}
	assert_int_equal(must_say(&config, "BANTER_SOCKET_MODE", STR("666")), STATUS_OK);
	assert_int_equal(config.socket_mode, 0666);
	assert_int_equal(must_say(&config, "BANTER_SOCKET_MODE", STR("0600")), STATUS_OK);
	assert_int_equal(config.socket_mode, 0600);
	assert_int_equal(must_say(&config, "BANTER_SOCKET_MODE", STR("0680")), STATUS_INVALID);
	assert_int_equal(must_say(&config, "BANTER_SOCKET_MODE", STR("1777")), STATUS_INVALID);
	assert_int_equal(must_say(&config, "BANTER_ADDRESS_LIMIT", STR("0")), STATUS_OK);
	config_clear(&config);
}

static void two_numbers_are_a_range(void **state)
{
	static const struct {
		struct str text;
		int64_t least, most; /* -1: refused */
	} cases[] = {
		{ STR("2:8"), 2, 8 },	 { STR("1:4096"), 1, 4096 }, { STR("3:3"), 3, 3 },
		{ STR("8:2"), -1, 0 },	 { STR("0:8"), -1, 0 },	     { STR("1:4097"), -1, 0 },
		{ STR("2:"), -1, 0 },	 { STR(":8"), -1, 0 },	     { STR(":"), -1, 0 },
		{ STR("2:8:9"), -1, 0 }, { STR("2 :8"), -1, 0 },     { STR("2:-8"), -1, 0 },
		{ STR("2:8\0"), -1, 0 }, { STR("two:8"), -1, 0 },
	};
	struct config config;
	size_t i;

	(void)state;
	must_init(&config);
	assert_int_equal(config.workers.least, 16);
	assert_int_equal(config.workers.most, 16);
	for (i = 0; i < COUNT(cases); i++) {
		config.workers = (struct config_range){ 77, 78 };
		assert_int_equal(must_say(&config, "BANTER_WORKERS", cases[i].text),
				 cases[i].least < 0 ? STATUS_INVALID : STATUS_OK);
		assert_int_equal(config.workers.least, cases[i].least < 0 ? 77 : cases[i].least);
		assert_int_equal(config.workers.most, cases[i].least < 0 ? 78 : cases[i].most);
	}
	config_clear(&config);
}

static void times_have_units(void **state)
{
	static const struct {
		struct str text;
		int64_t ms; /* -1: refused */
	} cases[] = {
		{ STR("15"), 15000 },
		{ STR("15s"), 15000 },
		{ STR("0.5"), 500 },
		{ STR("0.5s"), 500 },
		{ STR("500ms"), 500 },
		{ STR("2m"), 120000 },
		{ STR("1.5m"), 90000 },
		{ STR("1h"), 3600000 },
		{ STR("0.05"), 50 },
		{ STR("50ms"), 50 },
		{ STR("1.234567891"), 1234 },
		{ STR("3600"), 3600000 },
		{ STR("49ms"), -1 },
		{ STR("0"), -1 },
		{ STR("3601"), -1 },
		{ STR("1.1h"), -1 },
		{ STR(""), -1 },
		{ STR("s"), -1 },
		{ STR(".5"), -1 },
		{ STR("1."), -1 },
		{ STR("1.s"), -1 },
		{ STR("-1"), -1 },
		{ STR("1 s"), -1 },
		{ STR("1S"), -1 },
		{ STR("1d"), -1 },
		{ STR("1us"), -1 },
		{ STR("1.2.3"), -1 },
		{ STR("1.2345678912"), -1 },
		{ STR("999999999999h"), -1 },
		{ STR("9999999999999"), -1 },
	};
	struct config config;
	size_t i;

	(void)state;
	must_init(&config);
	for (i = 0; i < COUNT(cases); i++) {
		config.heartbeat_ms = 77;
		assert_int_equal(must_say(&config, "BANTER_HEARTBEAT", cases[i].text),
				 cases[i].ms < 0 ? STATUS_INVALID : STATUS_OK);
		assert_int_equal(config.heartbeat_ms, cases[i].ms < 0 ? 77 : cases[i].ms);
	}
	config_clear(&config);
}

struct shape_case {
	const char *name;
	struct str text;
	const char *kept; /* NULL: refused */
};

/* `field` is where the text ends up. */
static void try_shapes(const struct shape_case *cases, size_t count, size_t field)
{
	struct config config;
	const char *kept;
	char before[256];
	size_t i;

	must_init(&config);
	for (i = 0; i < count; i++) {
		memcpy(&kept, (char *)&config + field, sizeof(kept));
		snprintf(before, sizeof(before), "%s", kept);
		if (must_say(&config, cases[i].name, cases[i].text) !=
		    (cases[i].kept ? STATUS_OK : STATUS_INVALID))
			fail_msg("%s \"%.*s\"", cases[i].name, STR_ARGS(cases[i].text));
		memcpy(&kept, (char *)&config + field, sizeof(kept));
		assert_string_equal(kept, cases[i].kept ? cases[i].kept : before);
	}
	config_clear(&config);
}

#define AS_IS(name, text)                                                                          \
	{                                                                                          \
		name, STR(text), text                                                              \
	}
#define NOT(name, text)                                                                            \
	{                                                                                          \
		name, STR(text), NULL                                                              \
	}
#define TRY(cases, field) try_shapes(cases, COUNT(cases), offsetof(struct config, field))
#define X20 "xxxxxxxxxxxxxxxxxxxx"

static void listen_is_a_socket(void **state)
{
	static const char name[] = "BANTER_LISTEN";
	static const struct shape_case cases[] = {
		AS_IS(name, "unix:/tmp/a b.sock"),
		AS_IS(name, "127.0.0.1:9000"),
		AS_IS(name, "localhost:1"),
		AS_IS(name, "[::1]:65535"),
		AS_IS(name, "unix:/" X20 X20 X20 X20 X20 "xxxxxx"),
		NOT(name, "unix:/" X20 X20 X20 X20 X20 "xxxxxxx"),
		NOT(name, ""),
		NOT(name, "unix:"),
		NOT(name, "unix:/"),
		NOT(name, "unix:relative.sock"),
		NOT(name, "unix:/a\nb"),
		NOT(name, "/tmp/a.sock"),
		NOT(name, "127.0.0.1"),
		NOT(name, "127.0.0.1:"),
		NOT(name, ":9000"),
		NOT(name, "127.0.0.1:0"),
		NOT(name, "127.0.0.1:65536"),
		NOT(name, "127.0.0.1:99999999"),
		NOT(name, "127.0.0.1:http"),
		NOT(name, "::1:9000"),
		NOT(name, "[::1]"),
		NOT(name, "[::1]9000"),
		NOT(name, "[::1:9000"),
		NOT(name, "[nonsense]:9000"),
		NOT(name, "[127.0.0.1]:9000"),
		NOT(name, "a b:9000"),
	};

	(void)state;
	TRY(cases, listen);
}

static void the_status_listener_may_be_none(void **state)
{
	static const char name[] = "BANTER_STATUS_LISTEN";
	static const struct shape_case cases[] = {
		AS_IS(name, ""),
		AS_IS(name, "unix:/tmp/status.sock"),
		AS_IS(name, "127.0.0.1:9000"),
		NOT(name, "none"),
		NOT(name, "unix:"),
	};

	(void)state;
	TRY(cases, status_listen);
}

/* libpq would take what follows for a host or a port, and name it in its errors. */
static void a_database_url_has_an_escaped_password(void **state)
{
	static const char name[] = "BANTER_DATABASE_URL";
	static const struct shape_case cases[] = {
		AS_IS(name, ""),
		AS_IS(name, "host=/tmp user=app password=a@b/c"),
		AS_IS(name, "postgresql://app@/banter?host=/run/x&port=6432"),
		AS_IS(name, "postgres://app:hun%2Fter2@localhost:5432/banter"),
		NOT(name, "postgresql://app:hun/ter2@localhost/banter"),
		NOT(name, "postgresql://app:hun@ter2@localhost/banter"),
		NOT(name, "postgres://app:hun?ter2@localhost/banter"),
		NOT(name, "postgresql://app:hun#ter2@localhost/banter"),
	};

	(void)state;
	TRY(cases, database_url);
}

static void model_url_is_a_base(void **state)
{
	static const char name[] = "BANTER_MODEL_URL";
	static const struct shape_case cases[] = {
		AS_IS(name, "http://127.0.0.1:11434/v1"),
		AS_IS(name, "https://[::1]:8080/v1"),
		AS_IS(name, "https://host"),
		{ name, STR("https://host/v1/"), "https://host/v1" },
		{ name, STR("https://host///"), "https://host" },
		AS_IS(name, "http://host_1.local/a/b~c/%20"),
		NOT(name, ""),
		NOT(name, "http://"),
		NOT(name, "https:///v1"),
		NOT(name, "ftp://host/v1"),
		NOT(name, "host/v1"),
		NOT(name, "HTTP://host"),
		NOT(name, "http://host:0/v1"),
		NOT(name, "http://[::1/v1"),
		NOT(name, "http://[::1"),
		NOT(name, "http://host:x/v1"),
		NOT(name, "http://user:password@host/v1"),
		AS_IS(name, "https://host/v1?api-version=2024-10-21&a=/"),
		{ name, STR("https://host/v1/?a=b?c"), "https://host/v1?a=b?c" },
		{ name, STR("https://host?a"), "https://host?a" },
		{ name, STR("https://host/v1?"), "https://host/v1" },
		NOT(name, "http://?a"),
		NOT(name, "http://host/v1?a#x"),
		NOT(name, "http://host/v1?a b"),
		NOT(name, "http://host/v1#x"),
		NOT(name, "http://host/v 1"),
		NOT(name, "http://host/\xc3\xa9"),
		NOT(name, "http://host/\0"),
	};

	(void)state;
	TRY(cases, model_servers[0].url);
}

static void model_headers_are_lines(void **state)
{
	static const char name[] = "BANTER_MODEL_HEADERS";
	static const struct shape_case cases[] = {
		AS_IS(name, ""),
		AS_IS(name, "api-key: 0123456789abcdef"),
		{ name, STR("A:b|C: d:e"), "A: b\nC: d:e" },
		{ name, STR("\n a: b \t\r\n\r\n|| c:\td e \n"), "a: b\nc: d e" },
		AS_IS(name, "Host: elsewhere"),
		NOT(name, "secret-without-a-name"),
		NOT(name, "a:"),
		NOT(name, "a: |b: c"),
		NOT(name, ": b"),
		NOT(name, "a b: c"),
		NOT(name, "a : b"),
		NOT(name, "a: b\001"),
		NOT(name, "a: \xc3\xa9"),
		NOT(name, "\xc3\xa9: a"),
		NOT(name, "a: b\0"),
		NOT(name, "a\0: b"),
		NOT(name, "a: b\rc: d"),
		NOT(name, "a: b|CONTENT-length: 5"),
		NOT(name, "transfer-encoding: chunked"),
		NOT(name, "Accept-Encoding: gzip"),
	};

	(void)state;
	TRY(cases, model_servers[0].headers);
}

static void model_members_are_an_object(void **state)
{
	static const char name[] = "BANTER_MODEL_MEMBERS";
	static const struct shape_case cases[] = {
		AS_IS(name, ""),
		AS_IS(name, "{}"),
		AS_IS(name, "{\"top_p\":0.9,\"stop\":[\"|\", \"\\n\"]}"),
		{ name, STR(" {\"a\":\r\n\t1}\n"), "{\"a\":   1}" },
		NOT(name, "{\"top_p\":.9}"),
		NOT(name, "[\"array-of-something\"]"),
		NOT(name, "5"),
		NOT(name, "{\"a\":1} x"),
		NOT(name, "{'a':1}"),
		NOT(name, "{\"a\":\"\\u0000\"}"),
	};

	(void)state;
	TRY(cases, model_servers[0].members);
}

static void models_are_names_with_theirs(void **state)
{
	static const char name[] = "BANTER_MODEL_MODELS";
	static const struct shape_case cases[] = {
		AS_IS(name, ""),
		AS_IS(name, "llama3.2"),
		AS_IS(name, "gpt-4o-mini=vendor/model:free,b,c=d=e"),
		{ name, STR(" a , b\t= c "), "a,b=c" },
		{ name, STR("  "), "" },
		NOT(name, "a,"),
		NOT(name, ",a"),
		NOT(name, "a,,b"),
		NOT(name, "=a"),
		NOT(name, "a="),
		NOT(name, "a= ,b"),
		NOT(name, "a\nb"),
		NOT(name, "a\0"),
	};

	(void)state;
	TRY(cases, model_servers[0].models);
}

static void prefix_is_a_folder(void **state)
{
	static const char name[] = "BANTER_PATH_PREFIX";
	static const struct shape_case cases[] = {
		AS_IS(name, "/chat"), AS_IS(name, "/a/b-c_d.e~f"), AS_IS(name, ""),
		NOT(name, "/"),	      NOT(name, "chat"),	   NOT(name, "/chat/"),
		NOT(name, "//chat"),  NOT(name, "/a//b"),	   NOT(name, "/a b"),
		NOT(name, "/a%20b"),  NOT(name, "/\xc3\xa9"),	   NOT(name, "/a?b"),
	};

	(void)state;
	TRY(cases, path_prefix);
}

static void origins_are_exact(void **state)
{
	static const char name[] = "BANTER_ALLOWED_ORIGINS";
	static const struct shape_case cases[] = {
		AS_IS(name, "https://example.com"),
		AS_IS(name, "https://example.com,http://localhost:3000"),
		AS_IS(name, "http://[::1]:3000"),
		AS_IS(name, "chrome-extension://abcdef"),
		{ name, STR(" https://a.example ,\thttps://B.Example "),
		  "https://a.example,https://b.example" },
		AS_IS(name, ""),
		{ name, STR("  "), "" },
		NOT(name, "*"),
		NOT(name, "null"),
		NOT(name, "example.com"),
		NOT(name, "https://"),
		NOT(name, "https://example.com/"),
		NOT(name, "https://example.com/path"),
		NOT(name, "https://*.example.com"),
		NOT(name, "https://example.com:"),
		NOT(name, "https://example.com:0"),
		NOT(name, "https://a.example,"),
		NOT(name, ",https://a.example"),
		NOT(name, "https://a.example,,https://b.example"),
		NOT(name, "https://a.example https://b.example"),
		NOT(name, "https://u@a.example"),
		NOT(name, "1https://a.example"),
		NOT(name, "://a.example"),
		NOT(name, "https://a.example\n"),
	};

	(void)state;
	TRY(cases, allowed_origins);
}

static void proxies_are_networks(void **state)
{
	static const char name[] = "BANTER_TRUSTED_PROXIES";
	static const struct shape_case cases[] = {
		AS_IS(name, "127.0.0.1"),
		AS_IS(name, "10.0.0.0/8,2001:db8::/32,::1"),
		{ name, STR("10.0.0.1 , ::1/128"), "10.0.0.1,::1/128" },
		AS_IS(name, "0.0.0.0/0"),
		AS_IS(name, ""),
		{ name, STR("  "), "" },
		AS_IS(name, "10.0.0.0/32"),
		AS_IS(name, "::/0"),
		{ name, STR("2001:db8::/128, 10.1.2.3 ,::1"), "2001:db8::/128,10.1.2.3,::1" },
		NOT(name, "localhost"),
		NOT(name, "10.0.0"),
		NOT(name, "10.0.0.256"),
		NOT(name, "10.0.0.0/33"),
		NOT(name, "10.0.0.0/"),
		NOT(name, "10.0.0.0/-1"),
		NOT(name, "10.0.0.0/8x"),
		NOT(name, "10.0.0.0/8/8"),
		NOT(name, "10.0.0/8"),
		NOT(name, ","),
		NOT(name, "/8"),
		NOT(name, "10.0.0.1:80"),
		NOT(name, "::1/129"),
		NOT(name, "[::1]"),
		NOT(name, "10.0.0.1,"),
		NOT(name, "10.0.0.1\0"),
		NOT(name, "10.0.0.1 10.0.0.2"),
	};

	(void)state;
	TRY(cases, trusted_proxies);
}

static void other_texts(void **state)
{
	static const struct shape_case files[] = {
		AS_IS("BANTER_SHARED_FILE", "/var/lib/banter/shared"),
		AS_IS("BANTER_SHARED_FILE", ""),
		NOT("BANTER_SHARED_FILE", "shared"),
		NOT("BANTER_SHARED_FILE", "/a\tb"),
	};
	static const struct shape_case models[] = {
		AS_IS("BANTER_MODEL", "llama3.2:1b"),
		AS_IS("BANTER_MODEL", "org/mod\xc3\xa8le v2"),
		NOT("BANTER_MODEL", ""),
		NOT("BANTER_MODEL", "a\nb"),
	};

	(void)state;
	TRY(files, shared_file);
	TRY(models, model);
}

static void words_are_enums(void **state)
{
	static const struct {
		const char *name;
		struct str text;
		int64_t value; /* -1: refused */
	} cases[] = {
		{ "BANTER_LOG_LEVEL", STR("error"), LOG_LEVEL_ERROR },
		{ "BANTER_LOG_LEVEL", STR("warning"), LOG_LEVEL_WARN },
		{ "BANTER_LOG_LEVEL", STR("info"), LOG_LEVEL_INFO },
		{ "BANTER_LOG_LEVEL", STR("debug"), LOG_LEVEL_DEBUG },
		{ "BANTER_LOG_LEVEL", STR(""), -1 },
		{ "BANTER_LOG_LEVEL", STR("warn"), -1 },
		{ "BANTER_LOG_LEVEL", STR("Info"), -1 },
		{ "BANTER_LOG_LEVEL", STR("error,debug"), -1 },
		{ "BANTER_LOG_LEVEL", STR("error, x"), -1 },
		{ "BANTER_LOG_LEVEL", STR("info\0"), -1 },
	};
	struct config config;
	size_t i;

	(void)state;
	must_init(&config);
	for (i = 0; i < COUNT(cases); i++) {
		config.log_level = 77;
		assert_int_equal(must_say(&config, cases[i].name, cases[i].text),
				 cases[i].value < 0 ? STATUS_INVALID : STATUS_OK);
		assert_int_equal(config.log_level, cases[i].value < 0 ? 77 : cases[i].value);
	}
	config_clear(&config);
}

static void a_log_is_a_word_or_a_files_path(void **state)
{
	static const struct shape_case logs[] = {
		AS_IS("BANTER_LOG", "stderr"),
		AS_IS("BANTER_LOG", "syslog"),
		AS_IS("BANTER_LOG", "/var/log/b"),
		NOT("BANTER_LOG", ""),
		NOT("BANTER_LOG", "Syslog"),
		NOT("BANTER_LOG", "banter.log"),
		NOT("BANTER_LOG", "/"),
		NOT("BANTER_LOG", "/var/log/"),
		NOT("BANTER_LOG", "/var\n/log"),
	};

	(void)state;
	TRY(logs, log);
}

static void keys_hold_no_control(void **state)
{
	static const struct shape_case keys[] = {
		AS_IS("BANTER_MODEL_KEY", "sk-proj-0123456789"),
		AS_IS("BANTER_MODEL_KEY", ""),
		NOT("BANTER_MODEL_KEY", "sk-0123456789\n"),
		NOT("BANTER_MODEL_KEY", "sk-0123456789\r\nX-Other: 1"),
		NOT("BANTER_MODEL_KEY", "sk-0123456789\0"),
		NOT("BANTER_MODEL_KEY", "sk-0123456789\x7f"),
	};
	struct config config;
	char *big = malloc(5000);

	(void)state;
	TRY(keys, model_servers[0].key);
	assert_non_null(big);
	memset(big, 'k', 5000);
	must_init(&config);
	assert_int_equal(must_say(&config, "BANTER_MODEL_KEY", (struct str){ big, 4096 }),
			 STATUS_OK);
	assert_int_equal(strlen(config.model_servers[0].key), 4096);
	assert_int_equal(must_say(&config, "BANTER_MODEL_KEY", (struct str){ big, 4097 }),
			 STATUS_INVALID);
	config_clear(&config);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(two_numbers_are_a_range),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(listen_is_a_socket),
		cmocka_unit_test(the_status_listener_may_be_none),
		cmocka_unit_test(a_database_url_has_an_escaped_password),
		cmocka_unit_test(model_url_is_a_base),
		cmocka_unit_test(model_headers_are_lines),
		cmocka_unit_test(model_members_are_an_object),
		cmocka_unit_test(models_are_names_with_theirs),
		cmocka_unit_test(prefix_is_a_folder),
		cmocka_unit_test(origins_are_exact),
		cmocka_unit_test(proxies_are_networks),
		cmocka_unit_test(other_texts),
		cmocka_unit_test(words_are_enums),
		cmocka_unit_test(keys_hold_no_control),
		cmocka_unit_test(a_log_is_a_word_or_a_files_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
