/* wire/config: the table, its defaults, its secrets. */
#include "unit_config.h"

#include "base/log.h"

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
	assert_int_equal(config.log_level, LOG_LEVEL_INFO);
	assert_int_equal(config.log_to, LOG_STDERR);
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
	for (; config_entry_at(rows, &entry); rows++) {
		assert_true(str_starts(str_from(entry.name), STR("BANTER_")));
		assert_true(*entry.allowed && *entry.meaning && entry.fallback);
		assert_null(strchr(entry.meaning, '\n'));
		assert_true(entry.meaning[strlen(entry.meaning) - 1] != '.');
		for (i = 0; i < rows; i++) {
			assert_true(config_entry_at(i, &other));
			assert_string_not_equal(entry.name, other.name);
		}
	}
	/* The servers' count and the default one's name, models and open_most have none, nor the others. */
	assert_int_equal((rows + 4) * sizeof(int64_t),
			 sizeof(struct config) -
				 sizeof(struct model_server) * (CONFIG_MODEL_SERVERS - 1));
	assert_false(config_entry_at(rows, &entry));
	assert_false(config_entry_at(SIZE_MAX, &entry));
	must_init(&config);
	assert_non_null(config.listen);
	assert_non_null(config.shared_file);
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
	for (i = 0; config_entry_at(i, &entry); i++) {
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

static void set_all(struct config *config, const char *const values[][2], size_t n)
{
	struct buf why;
	size_t i;

	must_init(config);
	buf_init(&why, 500);
	for (i = 0; i < n; i++)
		assert_int_equal(
			config_set(config, str_from(values[i][0]), str_from(values[i][1]), &why),
			STATUS_OK);
	buf_clear(&why);
}

/* What is open from the start stays at a reload, and is named if it would have changed. */
static void a_reload_keeps_what_needs_a_restart(void **state)
{
	static const char *const kept[] = { "BANTER_LISTEN", "BANTER_SOCKET_MODE", "BANTER_BACKLOG",
					    "BANTER_STATUS_LISTEN", "BANTER_SHARED_FILE" };
	static const char *const values[][2] = {
		{ "BANTER_LISTEN", "127.0.0.1:9000" },
		{ "BANTER_SOCKET_MODE", "0600" },
		{ "BANTER_STATUS_LISTEN", "[::1]:9001" },
		{ "BANTER_WORKERS", "2" },
		{ "BANTER_MODEL", "other" },
		{ "BANTER_LOG_LEVEL", "debug" },
	};
	struct config old, fresh;
	struct config_entry entry;
	struct buf changed;
	size_t i, restarts = 0;

	(void)state;
	for (i = 0; config_entry_at(i, &entry); i++)
		if (entry.restart)
			assert_string_equal(entry.name, kept[restarts++]);
	assert_int_equal(restarts, COUNT(kept));
	buf_init(&changed, 500);
	set_all(&old, values, 1);
	set_all(&fresh, values, 1);
	config_keep(&fresh, &old, &changed);
	assert_int_equal(changed.len, 0);
	config_clear(&fresh);
	set_all(&fresh, values, COUNT(values));
	config_keep(&fresh, &old, &changed);
	assert_str(buf_view(&changed), "BANTER_SOCKET_MODE, BANTER_STATUS_LISTEN");
	config_clear(&old);
	assert_string_equal(fresh.listen, "127.0.0.1:9000");
	assert_int_equal(fresh.socket_mode, 0660);
	assert_string_equal(fresh.status_listen, "");
	assert_int_equal(fresh.workers, 2);
	assert_string_equal(fresh.model, "other");
	assert_int_equal(fresh.log_level, LOG_LEVEL_DEBUG);
	config_clear(&fresh);
	buf_clear(&changed);
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
		cmocka_unit_test(a_reload_keeps_what_needs_a_restart),
		cmocka_unit_test(unknown_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
