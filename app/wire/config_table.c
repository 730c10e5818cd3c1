/*
 * The table of settings, in the order of the pages made from it.  What a row's words mean is said
 * here and nowhere else: --help, banter.conf(5) and deploy/settings print them.
 */
#include "wire/config_table.h"

#include "base/count.h"
#include "wire/config_value_model.h"

#define RELOAD false
#define RESTART true

/* clang-format off */
#define SERVER offsetof(struct config, model_servers[0])
#define OF_SERVER(field)                        \
	(offsetof(struct config, field) >= SERVER && \
	 offsetof(struct config, field) < SERVER + sizeof(struct model_server))
#define ROW(name, also, field, change, fallback, allowed, meaning, secret, kind, least, most, shape) \
	{ { name, also, fallback, allowed, meaning, secret, change, OF_SERVER(field) },      \
	  kind, offsetof(struct config, field), least, most, shape }
#define TEXT(name, field, change, fallback, least, shape, allowed, meaning) \
	ROW(name, NULL, field, change, fallback, allowed, meaning, false, \
	    KIND_TEXT, least, CONFIG_TEXT_MOST, shape)
#define SECRET(name, also, field, change, meaning) \
	ROW(name, also, field, change, "", "text without control characters", meaning, true, \
	    KIND_TEXT, 0, CONFIG_TEXT_MOST, config_value_text)
#define SHAPED_SECRET(name, field, change, shape, allowed, meaning) \
	ROW(name, NULL, field, change, "", allowed, meaning, true, \
	    KIND_TEXT, 0, CONFIG_TEXT_MOST, shape)
#define WORD(name, field, change, fallback, words, meaning) \
	ROW(name, NULL, field, change, fallback, words, meaning, false, KIND_WORD, 0, INT64_MAX, NULL)
#define WHOLE(name, field, change, fallback, least, most, meaning) \
	ROW(name, NULL, field, change, #fallback, "a whole number from " #least " to " #most, meaning, \
	    false, KIND_WHOLE, least, most, NULL)
#define RANGE(name, field, change, fallback, least, most, meaning) \
	ROW(name, NULL, field, change, #fallback, \
	    "a whole number from " #least " to " #most ", or two of them: LEAST:MOST", meaning, false, \
	    KIND_RANGE, least, most, NULL)
#define OCTAL(name, field, change, fallback, most, allowed, meaning) \
	ROW(name, NULL, field, change, fallback, allowed, meaning, false, KIND_OCTAL, 0, most, NULL)
#define TIME(name, field, change, fallback, least, most, meaning) \
	ROW(name, NULL, field, change, #fallback "s", \
	    "seconds from " #least " to " #most ", or with a unit: ms, s, m, h", meaning, false, \
	    KIND_TIME, (int64_t)((least) * 1000), (int64_t)((most) * 1000), NULL)

/* In `meaning`, what is typed or named as it stands is in `these`, as the page's code. */
static const struct setting settings[] = {
	TEXT("BANTER_LISTEN", listen, RESTART, "unix:/run/banter/banter.sock", 1, config_value_listen,
	     "unix:/PATH, HOST:PORT or [V6]:PORT", "where the web server finds the program"),
	OCTAL("BANTER_SOCKET_MODE", socket_mode, RESTART, "0660", 0777,
	      "permissions in octal, to 0777", "who may connect to the unix socket"),
	WHOLE("BANTER_BACKLOG", backlog, RESTART, 1024, 1, 65535,
	      "connections the kernel keeps waiting for a worker; the program itself holds at least as "
	      "many more"),
	TIME("BANTER_QUEUE_TIME", queue_ms, RELOAD, 5, 0, 3600,
	     "how long a request may wait for a worker before it gets 503; 0: for ever"),
	TEXT("BANTER_STATUS_LISTEN", status_listen, RESTART, "", 0, config_value_listen_or_none,
	     "as BANTER_LISTEN; empty: nowhere",
	     "a second address, where `/health` is answered even when all workers are busy"),
	/* Words in the order of their values in struct config. */
	WORD("BANTER_STATUS_SHOWS", status_shows, RELOAD, "health", "health, all",
	     "what else is answered there; all: `/metrics` for Prometheus and `/status` too, which whoever "
	     "may connect to that address may then read"),
	RANGE("BANTER_WORKERS", workers, RELOAD, 16, 1, 4096,
	      "worker processes; each serves one request at a time, so this is how many streams run at "
	      "once. Two numbers, such as `4:64`: there are so few while little is asked, and up to so "
	      "many as soon as somebody waits. For more than PostgreSQL has connections, put PgBouncer "
	      "between. Twice as many as at the start (or 16 more, if that is more) need a restart. "
	      "Where a web server or a supervisor starts the workers, it says how many"),
	TIME("BANTER_WORKER_IDLE_TIME", worker_idle_ms, RELOAD, 60, 0.1, 86400,
	     "how long a worker above the first number of `BANTER_WORKERS` may have nothing to do before "
	     "it ends"),
	WHOLE("BANTER_WORKER_REQUESTS", worker_requests, RELOAD, 10000, 0, 1000000000,
	      "requests after which a worker is replaced; 0: never"),
	WHOLE("BANTER_WORKER_MEMORY", worker_memory, RELOAD, 0, 0, 1048576,
	      "mebibytes of memory of its own with which a worker is replaced, once its request has ended; "
	      "0: any"),
	TIME("BANTER_WORKER_STUCK_TIME", stuck_ms, RELOAD, 30, 0, 3600,
	     "how much longer than the time allowed for what it does a worker may get on with nothing "
	     "before it is ended and replaced; 0: for ever, for a debugger. Without effect where a web "
	     "server or a supervisor starts the workers"),
	TIME("BANTER_DRAIN_TIME", drain_ms, RELOAD, 25, 0, 3600,
	     "how long running exchanges may go on after SIGTERM"),
	SHAPED_SECRET("BANTER_DATABASE_URL", database_url, RELOAD, config_value_database,
		      "libpq's URI, its password's / ? # @ written as %2F %3F %23 %40, or keywords",
		      "the database; unset: libpq's `PG...` variables"),
	SHAPED_SECRET("BANTER_ADMIN_DATABASE_URL", admin_database_url, RELOAD, config_value_database,
		      "as BANTER_DATABASE_URL",
		      "the database for `banterctl`; unset: as `BANTER_DATABASE_URL`"),
	SECRET("BANTER_DATABASE_PASSWORD", "PGPASSWORD", database_password, RELOAD,
	       "the database's password, if the URL has none"),
	TIME("BANTER_DATABASE_CONNECT_TIME", database_connect_ms, RELOAD, 2, 0.1, 60,
	     "time allowed to reach the database; several hosts, or addresses of one, share it"),
	TIME("BANTER_DATABASE_TIME", database_ms, RELOAD, 2.5, 0.1, 60,
	     "time allowed for one call to the database, connecting included"),
	TIME("BANTER_DATABASE_IDLE_TIME", database_idle_ms, RELOAD, 60, 0, 86400,
	     "a connection to the database that lay idle for longer is made anew before it is used, "
	     "since a firewall may have forgotten it; 0: it is kept, however long"),
	TEXT("BANTER_MODEL_URL", model_servers[0].url, RELOAD, "https://api.openai.com/v1", 1,
	     config_value_url, "http(s)://HOST[:PORT][/PATH][?QUERY]",
	     "the model's API, up to and including `/v1`; a query string at its end is kept at the "
	     "end"),
	SECRET("BANTER_MODEL_KEY", "OPENAI_API_KEY", model_servers[0].key, RELOAD,
	       "the key for the model's API, sent if there is one"),
	SHAPED_SECRET("BANTER_MODEL_HEADERS", model_servers[0].headers, RELOAD, config_value_headers,
		      "NAME: VALUE, more in lines of their own or behind |",
		      "more headers for the model's API; an `Authorization` or `api-key` among them "
		      "replaces the key"),
	TEXT("BANTER_MODEL_MEMBERS", model_servers[0].members, RELOAD, "", 0, config_value_members,
	     "a JSON object; empty: none",
	     "more members of every request to the model, such as `{\"top_p\":0.9}`; a `temperature`, "
	     "`max_tokens` or `max_completion_tokens` there is for chatbots that have none; `model`, "
	     "`messages`, `stream` and `stream_options` are always set by the program"),
	TEXT("BANTER_MODEL", model, RELOAD, "gpt-4o-mini", 1, config_value_text,
	     "a name the model's API knows", "the model, where a chatbot names none"),
	TEXT("BANTER_MODEL_CA", model_servers[0].ca, RELOAD, "", 0, config_value_path,
	     "the absolute path of a PEM file; empty: the system's",
	     "the certificate authorities that vouch for the model's API"),
	TIME("BANTER_MODEL_CONNECT_TIME", model_servers[0].connect_ms, RELOAD, 10, 0.1, 600,
	     "time allowed to reach the model"),
	TIME("BANTER_MODEL_FIRST_TIME", model_servers[0].first_ms, RELOAD, 60, 0.1, 3600,
	     "time allowed before the model's first byte"),
	TIME("BANTER_MODEL_IDLE_TIME", model_servers[0].idle_ms, RELOAD, 60, 0.1, 3600,
	     "time allowed between two of the model's bytes"),
	WHOLE("BANTER_MODEL_OPEN", model_servers[0].open_most, RELOAD, 0, 0, 1000000,
	      "requests that one machine has open at the model's API at once; one more goes to the "
	      "chatbot's next server; 0: any number"),
	TEXT("BANTER_MODEL_MODELS", model_servers[0].models, RELOAD, "", 0, config_value_models,
	     "NAME or NAME=NAME-THERE, more behind commas; empty: any",
	     "the models that its API has, and what it calls them where that is not what chatbots do; "
	     "for others a chatbot's next server is asked"),
	TEXT("BANTER_MODEL_SERVERS", model_servers_file, RELOAD, "", 0, config_value_path,
	     "the absolute path of a file; empty: none",
	     "a file of more model servers, a section each, for the chatbots that list them; the one of "
	     "`BANTER_MODEL_URL` is called `default`"),
	TIME("BANTER_EXCHANGE_TIME", exchange_ms, RELOAD, 600, 0.5, 86400,
	     "time allowed for a whole streamed exchange"),
	TIME("BANTER_JSON_TIME", json_ms, RELOAD, 50, 0.5, 86400,
	     "time allowed for a whole exchange that is answered in one piece"),
	TIME("BANTER_HEARTBEAT", heartbeat_ms, RELOAD, 15, 0.05, 3600,
	     "the longest silence in a stream"),
	TIME("BANTER_LEASE", lease_ms, RELOAD, 300, 1, 86400,
	     "after this a dead worker's exchange is given up; live workers renew it"),
	WHOLE("BANTER_ANSWER_BYTES", answer_bytes, RELOAD, 262144, 1024, 4194304,
	      "the longest answer; a longer one ends in `error`, its rest is not waited for"),
	WHOLE("BANTER_HISTORY_MESSAGES", history_messages, RELOAD, 40, 0, 10000,
	      "how many messages of the conversation the model is given at most; what is beyond is cut "
	      "down to half of them at once"),
	WHOLE("BANTER_HISTORY_CHARS", history_chars, RELOAD, 32000, 0, 10000000,
	      "the same in characters; if that is still too long for the model, it is asked again with "
	      "half"),
	WHOLE("BANTER_BODY_BYTES", body_bytes, RELOAD, 1048576, 65536, 16777216,
	      "the longest body from clients that send the whole conversation each time (O5, F3); others' "
	      "is 64 KiB"),
	TIME("BANTER_REQUEST_TIME", request_ms, RELOAD, 10, 0.1, 3600,
	     "time allowed to read a request from the web server; a connection that says nothing so long "
	     "is closed"),
	TIME("BANTER_WRITE_TIME", write_ms, RELOAD, 30, 0.1, 3600,
	     "time allowed for one blocked write to the web server"),
	WHOLE("BANTER_ADDRESS_LIMIT", address_limit, RELOAD, 30, 0, 1000000000,
	      "headless requests of one client address in a window; 0: any number"),
	TIME("BANTER_ADDRESS_WINDOW", address_window_ms, RELOAD, 60, 1, 86400,
	     "the length of that window, and of the one for `BANTER_FAILED_KEY_LIMIT`"),
	WHOLE("BANTER_ADDRESS_OPEN", address_open, RELOAD, 0, 0, 1000000,
	      "open headless exchanges of one client address; 0: any number. On a public site half of "
	      "the workers is a good value: then nobody can take them all"),
	WHOLE("BANTER_KEY_OPEN", key_open, RELOAD, 0, 0, 1000000,
	      "open exchanges of one API key, where its workspace has no cap of its own; 0: any number"),
	WHOLE("BANTER_WORKSPACE_OPEN", workspace_open, RELOAD, 0, 0, 1000000,
	      "open exchanges of one workspace, where it has no cap of its own; 0: any number"),
	WHOLE("BANTER_FAILED_KEY_LIMIT", failed_key_limit, RELOAD, 60, 0, 1000000000,
	      "wrong keys from one client address in a window; 0: any number"),
	WHOLE("BANTER_VISITOR_ADDRESS_LIMIT", visitor_address_limit, RELOAD, 120, 0, 1000000000,
	      "exchanges with site keys from one client address in a window; 0: any number"),
	WHOLE("BANTER_VISITOR_NEW_LIMIT", visitor_new_limit, RELOAD, 30, 0, 1000000000,
	      "visitors that come from one client address for the first time in a window; 0: any "
	      "number"),
	TIME("BANTER_VISITOR_WINDOW", visitor_window_ms, RELOAD, 3600, 1, 86400,
	     "the length of that window"),
	WHOLE("BANTER_VISITOR_EXCHANGES", visitor_exchanges, RELOAD, 1000, 0, 1000000000,
	      "exchanges that a chatbot's visitors may begin in a day (UTC), all together, where the "
	      "chatbot says nothing; 0: any number. What a site key can cost, whoever finds it"),
	WHOLE("BANTER_VISITOR_CREDITS", visitor_credits, RELOAD, 0, 0, 1000000000000000,
	      "the same in credits; 0: any number"),
	TEXT("BANTER_ALLOWED_ORIGINS", allowed_origins, RELOAD, "", 0, config_value_origins,
	     "SCHEME://HOST[:PORT], more behind commas; empty: none",
	     "web sites whose pages may call the API, such as `https://example.com`"),
	TEXT("BANTER_TRUSTED_PROXIES", trusted_proxies, RELOAD, "", 0, config_value_proxies,
	     "addresses or ADDRESS/BITS, with commas between; empty: none",
	     "proxies whose `X-Forwarded-For` is believed"),
	TEXT("BANTER_PATH_PREFIX", path_prefix, RELOAD, "", 0, config_value_prefix,
	     "/NAME without a slash at its end; empty: none",
	     "the folder of the web site under which the API is found, such as `/chat`"),
	TEXT("BANTER_SHARED_FILE", shared_file, RESTART, "", 0, config_value_path,
	     "the absolute path of a file; empty: memory of our own",
	     "the file of the tables that workers share, where a web server or a supervisor starts "
	     "them; three more beside it, with `.counters`, `.models` and `.connects` at their ends, "
	     "hold what they count, what they know of the model servers, and who connects to the "
	     "database"),
	/* Words in the order of enum log_level. */
	WORD("BANTER_LOG_LEVEL", log_level, RELOAD, "info", "error, warning, info, debug",
	     "the lowest level that is logged"),
	TEXT("BANTER_LOG", log, RELOAD, "stderr", 1, config_value_log,
	     "stderr, syslog, or the absolute path of a file", "where the log goes"),
};
/* clang-format on */

const struct setting *config_table(size_t index)
{
	return index < COUNT(settings) ? &settings[index] : NULL;
}
