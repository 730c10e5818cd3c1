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
	assert_string_equal(config.log, "stderr");
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
	/* The servers' count and the default one's name have none, nor the others; a range is two words. */
	assert_int_equal((rows + 3) * sizeof(int64_t),
			 sizeof(struct config) - sizeof(struct config_files) -
				 sizeof(struct model_server) * (CONFIG_MODEL_SERVERS - 1));
	assert_false(config_entry_at(rows, &entry));
	assert_false(config_entry_at(SIZE_MAX, &entry));
	must_init(&config);
	assert_non_null(config.listen);
	assert_non_null(config.shared_file);
	config_clear(&config);
}

/* A login that is refused reads them again: what was set over them in the end must not be undone. */
static void a_value_forgets_the_file_of_the_one_before(void **state)
{
	struct config config;
	struct buf why;

	(void)state;
	buf_init(&why, 256);
	must_init(&config);
	assert_null(config.files.database_password);
	assert_int_equal(config_note_file(&config, STR("BANTER_DATABASE_PASSWORD"), "/a"), 0);
	assert_int_equal(config_note_file(&config, STR("BANTER_DATABASE_PASSWORD"), "/b"), 0);
	assert_int_equal(config_note_file(&config, STR("BANTER_MODEL_KEY"), "/c"), 0);
	assert_string_equal(config.files.database_password, "/b");
	assert_int_equal(config_set(&config, STR("BANTER_DATABASE_URL"), STR("x"), &why), 0);
	assert_non_null(config.files.database_password);
	assert_int_equal(config_set(&config, STR("BANTER_DATABASE_PASSWORD"), STR("x"), &why), 0);
	assert_null(config.files.database_password);
	config_clear(&config);
	buf_clear(&why);
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
	assert_int_equal(fresh.workers.most, 2);
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

/* Each row of the default server's is one of any other's, under the same name without its beginning. */
static void a_server_has_all_settings_of_the_default_one(void **state)
{
	static const struct {
		const char *name, *value;
	} sets[] = {
		{ "URL", "http://a.example/v1/" },
		{ "KEY", "k" },
		{ "HEADERS", "X-A: 1|X-B: 2" },
		{ "MEMBERS", "{\"top_p\":1}" },
		{ "CA", "/ca.pem" },
		{ "CONNECT_TIME", "1s" },
		{ "FIRST_TIME", "2m" },
		{ "IDLE_TIME", "3" },
		{ "OPEN", "4" },
		{ "MODELS", "a, b = c" },
	};
	const struct model_server *server;
	struct config_entry entry;
	struct config config;
	size_t i, rows = 0;
	struct buf why;

	(void)state;
	must_init(&config);
	buf_init(&why, 500);
	assert_int_equal(config_set(&config, STR("BANTER_MODEL_KEY"), STR("ours"), &why),
			 STATUS_OK);
	assert_int_equal(config_add_server(&config, STR("a.B_c-9"), &why), STATUS_OK);
	server = config_model_server(&config, STR("a.B_c-9"));
	assert_ptr_equal(server, &config.model_servers[1]);
	/* Nothing of the default one's is its own, not even an address. */
	assert_string_equal(server->key, "");
	assert_string_equal(server->url, "");
	assert_int_equal(server->first_ms, 60000);
	assert_int_equal(config_check_servers(&config, &why), STATUS_INVALID);
	assert_string_equal(buf_text(&why), "[a.B_c-9] has no URL");
	buf_reset(&why);
	for (i = 0; i < COUNT(sets); i++)
		assert_int_equal(config_set_server(&config, str_from(sets[i].name),
						   str_from(sets[i].value), &why),
				 STATUS_OK);
	assert_int_equal(config_check_servers(&config, &why), STATUS_OK);
	assert_int_equal(why.len, 0);
	assert_string_equal(server->url, "http://a.example/v1");
	assert_string_equal(server->key, "k");
	assert_string_equal(server->headers, "X-A: 1\nX-B: 2");
	assert_string_equal(server->members, "{\"top_p\":1}");
	assert_string_equal(server->ca, "/ca.pem");
	assert_string_equal(server->models, "a,b=c");
	assert_int_equal(server->connect_ms, 1000);
	assert_int_equal(server->first_ms, 120000);
	assert_int_equal(server->idle_ms, 3000);
	assert_int_equal(server->open_most, 4);
	assert_string_equal(config.model_servers[0].key, "ours");
	assert_string_equal(config.model_servers[0].models, "");
	for (i = 0; config_entry_at(i, &entry); i++) {
		rows += entry.of_server;
		assert_true(!entry.of_server ||
			    (str_starts(str_from(entry.name), STR(CONFIG_SERVER_PREFIX)) &&
			     !entry.restart));
	}
	assert_int_equal(rows, COUNT(sets));
	config_clear(&config);
	buf_clear(&why);
}

/* Which are none, and that what is said of it holds neither a value nor a stray secret. */
static void what_is_no_server_is_refused(void **state)
{
	static const char *const names[] = {
		"",
		"default",
		"a b",
		"a/b",
		"\xc3\xa9",
		"there",
		"sk-do-not-show-me!",
		"0123456789012345678901234567890123456789012345678901234567890123x",
	};
	static const char *const settings[] = {
		"NAME", "SERVERS", "", "KEY_FILE", "BANTER_MODEL_URL", "sk-do-not-show-me"
	};
	char name[8];
	struct config config;
	struct buf why;
	size_t i;

	(void)state;
	must_init(&config);
	buf_init(&why, 500);
	assert_int_equal(config_add_server(&config, STR("there"), &why), STATUS_OK);
	for (i = 0; i < COUNT(names); i++) {
		buf_reset(&why);
		assert_int_equal(config_add_server(&config, str_from(names[i]), &why),
				 STATUS_INVALID);
		assert_true(why.len && !strstr(buf_text(&why), "show-me"));
		assert_int_equal(config.model_server_count, 2);
	}
	for (i = 0; i < COUNT(settings); i++) {
		buf_reset(&why);
		assert_int_equal(config_set_server(&config, str_from(settings[i]), STR("/x"), &why),
				 STATUS_INVALID);
		assert_string_equal(buf_text(&why),
				    "unknown name: a server has URL, KEY, KEY_FILE, HEADERS, "
				    "HEADERS_FILE, MEMBERS, CA, CONNECT_TIME, FIRST_TIME, "
				    "IDLE_TIME, OPEN, MODELS");
	}
	buf_reset(&why);
	assert_int_equal(config_set_server(&config, STR("URL"), STR("sk-do-not-show-me"), &why),
			 STATUS_INVALID);
	assert_string_equal(buf_text(&why), "URL must be http(s)://HOST[:PORT][/PATH][?QUERY]");
	buf_reset(&why);
	for (i = 2; i < CONFIG_MODEL_SERVERS; i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		assert_int_equal(config_add_server(&config, str_from(name), &why), STATUS_OK);
	}
	assert_int_equal(config_add_server(&config, STR("last"), &why), STATUS_INVALID);
	assert_non_null(strstr(buf_text(&why), "may be 15"));
	assert_int_equal(config.model_server_count, CONFIG_MODEL_SERVERS);
	config_clear(&config);
	buf_clear(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promised_defaults),
		cmocka_unit_test(every_field_has_its_row),
		cmocka_unit_test(a_value_forgets_the_file_of_the_one_before),
		cmocka_unit_test(the_secrets_are_marked),
		cmocka_unit_test(a_reload_keeps_what_needs_a_restart),
		cmocka_unit_test(unknown_names_are_refused),
		cmocka_unit_test(a_server_has_all_settings_of_the_default_one),
		cmocka_unit_test(what_is_no_server_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
