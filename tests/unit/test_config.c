/* wire/config: the table, its defaults, its secrets. */
#include "unit_config.h"

/* What the contract and the documentation promise; the rest may be tuned. */
static void promised_defaults(void **state)
{
	struct config config;

	(void)state;
	must_init(&config);
	assert_int_equal(config.json_ms, 50000);
	assert_int_equal(config.heartbeat_ms, 15000);
	assert_int_equal(config.lease_ms, 300000);
	assert_int_equal(config.queue_ms, 5000);
	assert_string_equal(config.status_listen, "");
	assert_int_equal(config.address_limit, 30);
	assert_int_equal(config.address_window_ms, 60000);
	assert_int_equal(config.socket_mode, 0660);
	assert_string_equal(config.listen, "unix:/run/banter/banter.sock");
	assert_string_equal(config.model_servers[0].url, "https://api.openai.com/v1");
	assert_string_equal(config.model_servers[0].key, "");
	assert_string_equal(config.database_url, "");
	assert_string_equal(config.allowed_origins, "");
	assert_string_equal(config.trusted_proxies, "");
	assert_string_equal(config.path_prefix, "");
	assert_string_equal(config.log_level, "info");
	assert_string_equal(config.log_to, "stderr");
	config_clear(&config);
	config_clear(&config);
}

/* The table fills every field of the struct once: a setting without its row would keep what stood there. */
static void every_field_has_its_row(void **state)
{
	struct config_entry entry, other;
	struct config config;
	size_t rows = 0, i;

	(void)state;
	for (; config_entry(rows, &entry); rows++) {
		assert_true(str_starts(str_from(entry.name), STR("BANTER_")));
		assert_true(*entry.allowed && *entry.meaning && entry.fallback);
		assert_null(strchr(entry.meaning, '\n'));
		for (i = 0; i < rows; i++) {
			assert_true(config_entry(i, &other));
			assert_string_not_equal(entry.name, other.name);
		}
	}
	assert_int_equal(rows * sizeof(int64_t), sizeof(struct config));
	assert_false(config_entry(rows, &entry));
	assert_false(config_entry(SIZE_MAX, &entry));
	must_init(&config);
	assert_non_null(config.listen);
	assert_non_null(config.log_to);
	config_clear(&config);
}

static void the_secrets_are_marked(void **state)
{
	static const struct {
		const char *name;
		const char *also;
	} secrets[] = {
		{ "BANTER_DATABASE_URL", NULL },
		{ "BANTER_ADMIN_DATABASE_URL", NULL },
		{ "BANTER_DATABASE_PASSWORD", "PGPASSWORD" },
		{ "BANTER_MODEL_KEY", "OPENAI_API_KEY" },
		{ "BANTER_MODEL_HEADERS", NULL },
	};
	struct config_entry entry;
	size_t i, seen = 0, at;

	(void)state;
	for (i = 0; config_entry(i, &entry); i++) {
		for (at = 0; at < COUNT(secrets); at++)
			if (strcmp(entry.name, secrets[at].name) == 0)
				break;
		assert_int_equal(entry.secret, at < COUNT(secrets));
		if (!entry.secret) {
			assert_null(entry.also);
			continue;
		}
		seen++;
		assert_string_equal(entry.fallback, "");
		if (secrets[at].also)
			assert_string_equal(entry.also, secrets[at].also);
		else
			assert_null(entry.also);
	}
	assert_int_equal(seen, COUNT(secrets));
}

static void unknown_names_are_refused(void **state)
{
	static const char *const names[] = { "BANTER_WORKER",  "BANTER_", "banter_workers",
					     "OPENAI_API_KEY", "",	  "BANTER_MODEL_KEY_FILE" };
	struct config config;
	struct buf why;
	size_t i;

	(void)state;
	must_init(&config);
	buf_init(&why, 500);
	for (i = 0; i < COUNT(names); i++) {
		buf_reset(&why);
		assert_int_equal(config_set(&config, str_from(names[i]), STR("1"), &why),
				 STATUS_INVALID);
		assert_true(why.len > 0);
	}
	/* A secret in the name's place is not repeated. */
	buf_reset(&why);
	assert_int_equal(config_set(&config, STR("sk-0123456789"), STR(""), &why), STATUS_INVALID);
	assert_null(strstr(buf_text(&why), "0123456789"));
	config_clear(&config);
	buf_clear(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promised_defaults),
		cmocka_unit_test(every_field_has_its_row),
		cmocka_unit_test(the_secrets_are_marked),
		cmocka_unit_test(unknown_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
