/*
 * The settings: one table of names, kinds, defaults, bounds and words (config_table.c), a parser for
 * files of NAME=value lines, and the typed result. Text in, values out: reading the environment and
 * files is edge/settings.
 */
#ifndef WIRE_CONFIG_H
#define WIRE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "wire/model_server.h"

/* How many of them there may be. */
#define CONFIG_MODEL_SERVERS 16

/* The files that settings of these names were read from, to be read again; NULL: none. */
struct config_files {
	char *database_url, *admin_database_url, *database_password;
};

/* One number is both. */
struct config_range {
	int64_t least, most;
};

/*
 * All strings are owned by the struct, never NULL ("" is the empty value). Times are in
 * milliseconds.
 */
struct config {
	char *listen;	      /* BANTER_LISTEN: unix:PATH or HOST:PORT */
	int64_t socket_mode;  /* BANTER_SOCKET_MODE: octal, of the unix socket */
	int64_t backlog;      /* BANTER_BACKLOG */
	int64_t queue_ms;     /* BANTER_QUEUE_TIME: to wait for a worker (G6); 0 without end */
	char *status_listen;  /* BANTER_STATUS_LISTEN: as listen; "": none */
	int64_t status_shows; /* BANTER_STATUS_SHOWS: 0 /health alone, 1 /metrics and /status too */
	struct config_range workers; /* BANTER_WORKERS */
	int64_t worker_idle_ms; /* BANTER_WORKER_IDLE_TIME: of one above the least, before it ends */
	int64_t stuck_ms; /* BANTER_WORKER_STUCK_TIME: of a worker without progress; 0 not looked at */
	int64_t worker_memory; /* BANTER_WORKER_MEMORY: a worker is replaced above so many MiB; 0 never */
	int64_t worker_requests; /* BANTER_WORKER_REQUESTS: a worker is replaced after so many; 0 never */
	int64_t drain_ms;	 /* BANTER_DRAIN_TIME */
	char *database_url; /* BANTER_DATABASE_URL; "": libpq's PG… variables (secret) */
	char *admin_database_url; /* BANTER_ADMIN_DATABASE_URL: banterctl's; "": as database_url (secret) */
	char *database_password; /* BANTER_DATABASE_PASSWORD, else PGPASSWORD; "": none or in the URL (secret) */
	int64_t database_connect_ms; /* BANTER_DATABASE_CONNECT_TIME */
	int64_t database_ms;	     /* BANTER_DATABASE_TIME: one call */
	int64_t database_idle_ms; /* BANTER_DATABASE_IDLE_TIME: an idle connection's age; 0 any */
	struct model_server model_servers[CONFIG_MODEL_SERVERS]; /* the first is the default one */
	size_t model_server_count;
	char *model_servers_file; /* BANTER_MODEL_SERVERS: of the others; "": there are none */
	char *model;		  /* BANTER_MODEL: where the chatbot names none */
	int64_t exchange_ms;	  /* BANTER_EXCHANGE_TIME: a whole streamed exchange */
	int64_t json_ms;	  /* BANTER_JSON_TIME: a whole JSON exchange (S7) */
	int64_t heartbeat_ms;	  /* BANTER_HEARTBEAT (S6) */
	int64_t lease_ms;	  /* BANTER_LEASE */
	int64_t answer_bytes;	  /* BANTER_ANSWER_BYTES: a longer answer is capped (S10) */
	int64_t body_bytes; /* BANTER_BODY_BYTES: of clients that send all of a conversation */
	int64_t history_messages;  /* BANTER_HISTORY_MESSAGES (S8) */
	int64_t history_chars;	   /* BANTER_HISTORY_CHARS (S8) */
	int64_t request_ms;	   /* BANTER_REQUEST_TIME: to read a request from the web server */
	int64_t write_ms;	   /* BANTER_WRITE_TIME: a blocked write to the web server */
	int64_t address_limit;	   /* BANTER_ADDRESS_LIMIT (H4); 0 none */
	int64_t address_window_ms; /* BANTER_ADDRESS_WINDOW */
	int64_t address_open; /* BANTER_ADDRESS_OPEN: open exchanges of one address (G10); 0 none */
	int64_t key_open;     /* BANTER_KEY_OPEN: open exchanges of one key (G10); 0 none */
	int64_t workspace_open;	  /* BANTER_WORKSPACE_OPEN: of one workspace (G10); 0 none */
	int64_t failed_key_limit; /* BANTER_FAILED_KEY_LIMIT: per address and window (G11); 0 none */
	int64_t visitor_address_limit; /* BANTER_VISITOR_ADDRESS_LIMIT: exchanges of one address (P4) */
	int64_t visitor_new_limit; /* BANTER_VISITOR_NEW_LIMIT: new visitors of one address (P4) */
	int64_t visitor_window_ms; /* BANTER_VISITOR_WINDOW: for both; 0 none, as below */
	int64_t visitor_exchanges; /* BANTER_VISITOR_EXCHANGES: of a chatbot and day (P4) */
	int64_t visitor_credits;   /* BANTER_VISITOR_CREDITS: the same in credits */
	char *allowed_origins;	   /* BANTER_ALLOWED_ORIGINS: comma-separated, exact (G7) */
	char *trusted_proxies; /* BANTER_TRUSTED_PROXIES: comma-separated addresses or CIDR (G9) */
	char *path_prefix;     /* BANTER_PATH_PREFIX: "" or "/name" (G2) */
	char *shared_file; /* BANTER_SHARED_FILE: the shared tables, where the workers are not ours */
	int64_t log_level;	   /* BANTER_LOG_LEVEL: an enum log_level (base/log.h) */
	char *log;		   /* BANTER_LOG, for log_open_at() */
	struct config_files files; /* the only one that is no setting */
};

/* The server of that name; NULL: there is none. */
const struct model_server *config_model_server(const struct config *config, struct str name);

/* All defaults. STATUS_NOMEM. */
enum status config_init(struct config *config) MUST_CHECK;
/* Frees; secrets are overwritten first. */
void config_clear(struct config *config);

/*
 * Sets one value. Times are seconds with an optional fraction and an optional unit: "15", "0.5",
 * "15s", "500ms", "2m", "1h". A slash that ends a URL, white space in a list, and upper case in an
 * origin are mended. STATUS_INVALID: unknown name or a value that is not allowed, and nothing
 * changed; to `why` (cap a few hundred bytes) is then appended the name and what is allowed, never
 * the value. STATUS_NOMEM.
 */
enum status config_set(struct config *config, struct str name, struct str value,
		       struct buf *why) MUST_CHECK;
/* That setting's value is from this file, until it is set again. STATUS_NOMEM. */
enum status config_note_file(struct config *config, struct str name, const char *path) MUST_CHECK;
/*
 * A further model server, of that name, with all defaults and without a URL; it is the last of
 * `model_servers`. STATUS_INVALID: no name for one, or one too many, and nothing changed; `why` as
 * above. STATUS_NOMEM.
 */
enum status config_add_server(struct config *config, struct str name, struct buf *why) MUST_CHECK;
/*
 * As config_set(), of the model server that was added last. `name` is that of the default one's
 * setting without what that begins with: URL for BANTER_MODEL_URL.
 */
#define CONFIG_SERVER_PREFIX "BANTER_MODEL_"
enum status config_set_server(struct config *config, struct str name, struct str value,
			      struct buf *why) MUST_CHECK;
/* Each of those that were added has a URL. STATUS_INVALID: `why` names one that has none. */
enum status config_check_servers(const struct config *config, struct buf *why) MUST_CHECK;

/*
 * The table, for --help, documentation checks and loading: index 0 … until false. All strings are
 * constants.
 */
struct config_entry {
	const char *name; /* BANTER_… */
	const char *
		also; /* another environment variable honoured when this is unset (OPENAI_API_KEY), or NULL */
	const char *fallback; /* the default, as it would be written */
	const char *allowed;  /* in words */
	/* Without capital and full stop; what is typed as it stands is in `these`. */
	const char *meaning;
	bool secret;	/* also as NAME_FILE; scrubbed from the environment; never printed */
	bool restart;	/* part of what is open from the start: a reload keeps the old value */
	bool of_server; /* every model server has it, not only the default one */
};
bool config_entry_at(size_t index, struct config_entry *out);
/* Whether a value of that setting may be a file's path; or of a model server's, as config_set_server(). */
bool config_takes_path(struct str name);
bool config_server_takes_path(struct str name);
/*
 * For a reload: the settings that change with a restart only stay in `fresh` as they are in `old`,
 * which is only to be cleared afterwards. The names of those that would have changed are appended
 * to `changed`, with ", " between.
 */
void config_keep(struct config *fresh, struct config *old, struct buf *changed);

#endif
