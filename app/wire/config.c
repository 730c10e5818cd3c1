/*
 * The table of settings, and setting one.  The shapes of values are config_value.c's; files of
 * lines, rules between settings and --help are config_text.c's.
 */
#include "wire/config.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/count.h"
#include "wire/config_value.h"

#define TEXT_MOST 4096

enum kind { KIND_TEXT, KIND_WORD, KIND_WHOLE, KIND_OCTAL, KIND_TIME };

struct setting {
	struct config_entry entry;
	enum kind kind;
	size_t offset;
	int64_t least; /* of a number, of a time in ms, or of a text's bytes */
	int64_t most;
	config_value_fn shape; /* of a text */
};

/* clang-format off */
#define ROW(name, also, field, fallback, allowed, meaning, secret, kind, least, most, shape) \
	{ { name, also, fallback, allowed, meaning, secret },                                \
	  kind, offsetof(struct config, field), least, most, shape }
#define TEXT(name, field, fallback, least, shape, allowed, meaning) \
	ROW(name, NULL, field, fallback, allowed, meaning, false, KIND_TEXT, least, TEXT_MOST, shape)
#define SECRET(name, also, field, meaning) \
	ROW(name, also, field, "", "text without control characters", meaning, true, \
	    KIND_TEXT, 0, TEXT_MOST, config_value_text)
#define SHAPED_SECRET(name, field, shape, allowed, meaning) \
	ROW(name, NULL, field, "", allowed, meaning, true, KIND_TEXT, 0, TEXT_MOST, shape)
#define WORD(name, field, fallback, words, meaning) \
	ROW(name, NULL, field, fallback, words, meaning, false, KIND_WORD, 0, 0, config_value_text)
#define WHOLE(name, field, fallback, least, most, meaning) \
	ROW(name, NULL, field, #fallback, "a whole number from " #least " to " #most, meaning, false, \
	    KIND_WHOLE, least, most, NULL)
#define OCTAL(name, field, fallback, most, allowed, meaning) \
	ROW(name, NULL, field, fallback, allowed, meaning, false, KIND_OCTAL, 0, most, NULL)
#define TIME(name, field, fallback, least, most, meaning) \
	ROW(name, NULL, field, #fallback "s", \
	    "seconds from " #least " to " #most ", or with a unit: ms, s, m, h", meaning, false, \
	    KIND_TIME, (int64_t)((least) * 1000), (int64_t)((most) * 1000), NULL)

static const struct setting settings[] = {
	TEXT("BANTER_LISTEN", listen, "unix:/run/banter/banter.sock", 1, config_value_listen,
	     "unix:/PATH, HOST:PORT or [V6]:PORT", "where the web server finds the program"),
	OCTAL("BANTER_SOCKET_MODE", socket_mode, "0660", 0777, "permissions in octal, to 0777",
	     "who may connect to the unix socket"),
	WHOLE("BANTER_BACKLOG", backlog, 1024, 1, 65535,
	     "connections the kernel keeps waiting for a worker"),
	TIME("BANTER_QUEUE_TIME", queue_ms, 5, 0, 3600,
	     "how long a request may wait for a worker, then it gets 503; 0: without end"),
	TEXT("BANTER_STATUS_LISTEN", status_listen, "", 0, config_value_listen_or_none,
	     "as BANTER_LISTEN; empty: nowhere",
	     "where /health is answered even when all workers are busy"),
	WHOLE("BANTER_WORKERS", workers, 16, 1, 4096,
	     "worker processes; each serves one request at a time"),
	WHOLE("BANTER_WORKER_REQUESTS", worker_requests, 10000, 0, 1000000000,
	     "requests after which a worker is replaced; 0: never"),
	TIME("BANTER_DRAIN_TIME", drain_ms, 25, 0, 3600,
	     "how long running exchanges may go on after SIGTERM"),
	SHAPED_SECRET("BANTER_DATABASE_URL", database_url, config_value_database,
		      "libpq's URI, its password's / ? # @ written as %2F %3F %23 %40, or keywords",
		      "the database; unset: libpq's PG... variables"),
	SHAPED_SECRET("BANTER_ADMIN_DATABASE_URL", admin_database_url, config_value_database,
		      "as BANTER_DATABASE_URL",
		      "the database for banterctl; unset: as BANTER_DATABASE_URL"),
	SECRET("BANTER_DATABASE_PASSWORD", "PGPASSWORD", database_password,
	     "the database's password, if the URL has none"),
	TIME("BANTER_DATABASE_CONNECT_TIME", database_connect_ms, 2, 0.1, 60,
	     "to reach the database"),
	TIME("BANTER_DATABASE_TIME", database_ms, 2.5, 0.1, 60,
	     "one call to the database, connecting included"),
	TEXT("BANTER_MODEL_URL", model_servers[0].url, "https://api.openai.com/v1", 1, config_value_url,
	     "http(s)://HOST[:PORT][/PATH][?QUERY]", "the model's API, up to and including /v1"),
	SECRET("BANTER_MODEL_KEY", "OPENAI_API_KEY", model_servers[0].key,
	     "the key for the model's API; unset: none is sent"),
	SHAPED_SECRET("BANTER_MODEL_HEADERS", model_servers[0].headers, config_value_headers,
		      "NAME: VALUE, more in lines of their own or behind |",
		      "more headers for the model's API, such as Azure's api-key"),
	TEXT("BANTER_MODEL_MEMBERS", model_servers[0].members, "", 0, config_value_members,
	     "a JSON object; empty: none", "more members of every request to the model"),
	TEXT("BANTER_MODEL", model, "gpt-4o-mini", 1, config_value_text,
	     "a name the model's API knows", "the model, where a chatbot names none"),
	TEXT("BANTER_MODEL_CA", model_servers[0].ca, "", 0, config_value_path,
	     "the absolute path of a PEM file; empty: the system's",
	     "the certificate authorities that vouch for the model's API"),
	TIME("BANTER_MODEL_CONNECT_TIME", model_servers[0].connect_ms, 10, 0.1, 600, "to reach the model"),
	TIME("BANTER_MODEL_FIRST_TIME", model_servers[0].first_ms, 60, 0.1, 3600,
	     "to the model's first byte"),
	TIME("BANTER_MODEL_IDLE_TIME", model_servers[0].idle_ms, 60, 0.1, 3600,
	     "between two of the model's bytes"),
	TIME("BANTER_EXCHANGE_TIME", exchange_ms, 600, 0.5, 86400, "a whole streamed exchange"),
	TIME("BANTER_JSON_TIME", json_ms, 50, 0.5, 86400,
	     "a whole exchange that is answered in one piece"),
	TIME("BANTER_HEARTBEAT", heartbeat_ms, 15, 0.05, 3600, "longest silence in a stream"),
	TIME("BANTER_LEASE", lease_ms, 300, 1, 86400,
	     "after which a dead worker's exchange is given up; renewed by live ones"),
	WHOLE("BANTER_ANSWER_BYTES", answer_bytes, 262144, 1024, 4194304,
	     "longest answer; the rest of a longer one is not waited for"),
	WHOLE("BANTER_HISTORY_MESSAGES", history_messages, 40, 0, 10000,
	     "messages of the conversation that the model is given"),
	WHOLE("BANTER_HISTORY_CHARS", history_chars, 32000, 0, 10000000,
	     "characters of the conversation that the model is given"),
	TIME("BANTER_REQUEST_TIME", request_ms, 10, 0.1, 3600,
	     "to read a request from the web server"),
	TIME("BANTER_WRITE_TIME", write_ms, 30, 0.1, 3600, "one blocked write to the web server"),
	WHOLE("BANTER_ADDRESS_LIMIT", address_limit, 30, 0, 1000000000,
	     "requests of one client address in a window; 0: any number"),
	TIME("BANTER_ADDRESS_WINDOW", address_window_ms, 60, 1, 86400,
	     "the window of BANTER_ADDRESS_LIMIT and BANTER_FAILED_KEY_LIMIT"),
	WHOLE("BANTER_ADDRESS_OPEN", address_open, 0, 0, 1000000,
	     "open headless exchanges of one client address; 0: any number"),
	WHOLE("BANTER_KEY_OPEN", key_open, 0, 0, 1000000,
	     "open exchanges of one key, where its workspace has no cap of its own; 0: any number"),
	WHOLE("BANTER_WORKSPACE_OPEN", workspace_open, 0, 0, 1000000,
	     "open exchanges of one workspace, where it has no cap of its own; 0: any number"),
	WHOLE("BANTER_FAILED_KEY_LIMIT", failed_key_limit, 60, 0, 1000000000,
	     "wrong keys from one client address in a window; 0: any number"),
	TEXT("BANTER_ALLOWED_ORIGINS", allowed_origins, "", 0, config_value_origins,
	     "SCHEME://HOST[:PORT], more behind commas; empty: none",
	     "the web sites whose pages may call the API"),
	TEXT("BANTER_TRUSTED_PROXIES", trusted_proxies, "", 0, config_value_proxies,
	     "addresses or ADDRESS/BITS, with commas between; empty: none",
	     "whose X-Forwarded-For is believed"),
	TEXT("BANTER_PATH_PREFIX", path_prefix, "", 0, config_value_prefix,
	     "/NAME without a slash at its end; empty: none",
	     "the folder of the web site under which the API lies"),
	TEXT("BANTER_SHARED_FILE", shared_file, "", 0, config_value_path,
	     "the absolute path of a file; empty: memory of our own",
	     "the shared tables, where a web server starts the workers"),
	WORD("BANTER_LOG_LEVEL", log_level, "info", "error, warning, info, debug",
	     "the least that is logged"),
	WORD("BANTER_LOG", log_to, "stderr", "stderr, syslog", "where the log goes"),
};
/* clang-format on */

#define SETTINGS COUNT(settings)

static char **text_of(struct config *config, const struct setting *setting)
{
	return (char **)(void *)((char *)config + setting->offset);
}

static int64_t *number_of(struct config *config, const struct setting *setting)
{
	return (int64_t *)(void *)((char *)config + setting->offset);
}

static bool is_text(const struct setting *setting)
{
	return setting->kind == KIND_TEXT || setting->kind == KIND_WORD;
}

static void free_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static enum status set_text(struct config *config, const struct setting *setting, struct str value)
{
	struct buf normal;
	enum status status = STATUS_INVALID;
	char **text = text_of(config, setting), *copy;

	buf_init(&normal, TEXT_MOST);
	if (value.n < (size_t)setting->least || value.n > TEXT_MOST)
		goto out;
	if (setting->kind == KIND_WORD &&
	    !config_value_word(value, str_from(setting->entry.allowed)))
		goto out;
	if (!setting->shape(value, &normal))
		goto out;
	status = buf_check(&normal);
	if (status != STATUS_OK)
		goto out;
	copy = strdup(buf_text(&normal));
	if (!copy) {
		status = STATUS_NOMEM;
		goto out;
	}
	free_text(text);
	*text = copy;
out:
	buf_wipe(&normal);
	return status;
}

static enum status set_number(struct config *config, const struct setting *setting,
			      struct str value)
{
	int64_t number;
	bool is_one;

	if (setting->kind == KIND_TIME)
		is_one = config_value_time(value, &number);
	else
		is_one = config_value_number(value, setting->kind == KIND_OCTAL ? 8 : 10, &number);
	if (!is_one || number < setting->least || number > setting->most)
		return STATUS_INVALID;
	*number_of(config, setting) = number;
	return STATUS_OK;
}

static enum status set(struct config *config, const struct setting *setting, struct str value)
{
	if (is_text(setting))
		return set_text(config, setting, value);
	return set_number(config, setting, value);
}

enum status config_set(struct config *config, struct str name, struct str value, struct buf *why)
{
	const struct setting *setting;
	enum status status;

	for (setting = settings; setting < settings + SETTINGS; setting++) {
		if (!str_equal(name, str_from(setting->entry.name)))
			continue;
		status = set(config, setting, value);
		/* The value itself stays out: a key lands in the wrong line easily. */
		if (status == STATUS_INVALID)
			buf_printf(why, "%s must be %s", setting->entry.name,
				   setting->entry.allowed);
		return status;
	}
	if (str_starts(name, STR("BANTER_")) && name.n < 64)
		buf_printf(why, "%.*s is no setting: --help lists them", STR_ARGS(name));
	else
		buf_puts(why, "unknown setting: --help lists them");
	return STATUS_INVALID;
}

enum status config_init(struct config *config)
{
	const struct setting *setting;
	enum status status = STATUS_OK;

	*config = (struct config){ .listen = NULL };
	for (setting = settings; setting < settings + SETTINGS && status == STATUS_OK; setting++)
		status = set(config, setting, str_from(setting->entry.fallback));
	if (status != STATUS_OK)
		config_clear(config);
	return status;
}

void config_clear(struct config *config)
{
	const struct setting *setting;

	for (setting = settings; setting < settings + SETTINGS; setting++)
		if (is_text(setting))
			free_text(text_of(config, setting));
}

bool config_entry(size_t index, struct config_entry *out)
{
	if (index >= SETTINGS)
		return false;
	*out = settings[index].entry;
	return true;
}
