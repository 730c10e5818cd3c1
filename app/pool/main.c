/*
 * banter.fcgi: what a web server talks to.  The command line, and the start in its order; then a
 * pool of our own, or, with the listening socket on fd 0, one worker of the caller's pool.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/version.h"
#include "chat/store.h"
#include "edge/db.h"
#include "edge/http_client.h"
#include "edge/settings.h"
#include "pool/listener.h"
#include "pool/pool.h"
#include "pool/signals.h"
#include "pool/single.h"
#include "pool/systemd.h"
#include "wire/config.h"
#include "wire/config_text.h"
#include "wire/json.h"

#define PROGRAM "banter.fcgi"
#define WHY_CAP 4096

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG = 2, GO_ON = -1 };

/* All that the start puts together, step by step. */
struct startup {
	const char *file;
	bool check_only, check_database;
	bool caller_pool;
	struct settings *settings;
	struct config config;
	bool loaded;
	struct signals *signals;
	struct listener web, status; /* where web servers connect; `web` may be handed over */
	struct upgrade upgrade;
	struct handover handover; /* by a running pool, both of them */
	bool listen_given;
	struct worker_tools tools; /* their connection is the check's, then the first worker's */
	enum status reached;	   /* what came of beginning to connect */
};

static const struct {
	char letter;
	const char *name, *argument, *meaning;
	const char *setting; /* which the option sets */
} options[] = {
	{ 'l', "listen", "ADDRESS", "where web servers connect: unix:PATH or HOST:PORT",
	  "BANTER_LISTEN" },
	{ 'w', "workers", "N", "requests that can run at the same time; or LEAST:MOST processes",
	  "BANTER_WORKERS" },
	{ 'c', "config", "FILE", "a file of NAME=value lines, which win over the environment",
	  NULL },
	{ 'k', "check", NULL, "load the settings, say if they are good, and end", NULL },
	{ 'd', "check-database", NULL,
	  "as --check, and ask the database if its schema is new enough", NULL },
	{ 'h', "help", NULL, "print this and end", NULL },
	{ 'v', "version", NULL, "print the version and end", NULL },
};

#define OPTIONS COUNT(options)

static void print_help(void)
{
	size_t i;

	printf("usage: " PROGRAM " [options]\n\n"
	       "A chat backend behind a web server, as a FastCGI application. With a listening "
	       "socket on\n"
	       "standard input (spawn-fcgi, mod_fcgid) and no --listen it is one worker of its "
	       "caller's pool.\n"
	       "With one handed over by systemd (banter.socket) and no --listen it is a pool on "
	       "that.\n\n"
	       "options:\n");
	for (i = 0; i < OPTIONS; i++)
		printf("  --%s%s%-*s %s\n", options[i].name, options[i].argument ? " " : "",
		       16 - (int)strlen(options[i].name) - (options[i].argument ? 1 : 0),
		       options[i].argument ? options[i].argument : "", options[i].meaning);
	printf("\nsettings, from the environment or the file:\n");
	config_help(stdout);
	printf("\nsignals to a pool:\n"
	       "  SIGTERM, SIGINT, SIGQUIT  take no more requests, let the running ones end, then "
	       "end;\n"
	       "                            a second SIGTERM ends what runs now, a second SIGINT "
	       "or\n"
	       "                            SIGQUIT kills it\n"
	       "  SIGHUP                    load the settings again and exchange the workers one "
	       "by one\n"
	       "  SIGUSR2                   start the program's file anew, beside this one, which "
	       "ends with its\n"
	       "                            last exchange; so does SIGHUP where that file was "
	       "replaced\n"
	       "  SIGUSR1                   log what each worker does\n"
	       "\nexit codes:\n"
	       "  0  ended as asked\n"
	       "  1  could not start or go on; the log says why\n"
	       "  2  a wrong option or setting; standard error names it\n");
}

static int wrong_usage(void)
{
	fprintf(stderr, "try " PROGRAM " --help\n");
	return EXIT_WRONG;
}

/* One option that was given. Settings are put aside until the environment is read. */
static int take_option(struct startup *start, int letter, const char **values)
{
	size_t i;

	switch (letter) {
	case 'c':
		start->file = optarg;
		return GO_ON;
	case 'k':
		start->check_only = true;
		return GO_ON;
	case 'd':
		start->check_database = true;
		return GO_ON;
	case 'h':
		print_help();
		return EXIT_DONE;
	case 'v':
		printf("banter " BANTER_VERSION "\n");
		return EXIT_DONE;
	default:
		break;
	}
	for (i = 0; i < OPTIONS; i++)
		if (options[i].setting && options[i].letter == letter) {
			values[i] = optarg;
			return GO_ON;
		}
	return wrong_usage();
}

static int read_settings(struct startup *start, const char *const *values)
{
	enum status status;
	size_t i;

	status = settings_new(start->file, &start->settings);
	for (i = 0; status == STATUS_OK && i < OPTIONS; i++)
		if (values[i])
			status = settings_override(start->settings, options[i].setting, values[i]);
	if (status == STATUS_OK)
		return GO_ON;
	log_error("the settings cannot be read: %s", status_name(status));
	return EXIT_FAILED;
}

static int read_options(struct startup *start, int argc, char **argv)
{
	struct option table[OPTIONS + 1] = { 0 };
	const char *values[OPTIONS] = { 0 };
	int letter, code;
	size_t i;

	for (i = 0; i < OPTIONS; i++)
		table[i] = (struct option){
			.name = options[i].name,
			.has_arg = options[i].argument ? required_argument : no_argument,
			.val = options[i].letter,
		};
	while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1) {
		code = take_option(start, letter, values);
		if (code != GO_ON)
			return code;
	}
	if (optind < argc) {
		fprintf(stderr, PROGRAM ": %s: no such argument\n", argv[optind]);
		return wrong_usage();
	}
	start->listen_given = values[0] != NULL;
	return read_settings(start, values);
}

/* First of all, and after a wrong option too: if the start fails, who waits there is to hear it. */
static int take_socket(struct startup *start)
{
	bool wanted = !start->listen_given && !start->check_only && !start->check_database;
	int fd = -1;

	if (start->handover.fd >= 0) {
		listener_take(&start->web, start->handover.web_fd);
		listener_take(&start->status, start->handover.status_fd);
		return GO_ON;
	}
	if (wanted && systemd_socket(&fd))
		return EXIT_FAILED;
	listener_take(&start->web, fd);
	return GO_ON;
}

static int load_settings(struct startup *start)
{
	enum status status;
	int code = GO_ON;
	struct buf why;

	buf_init(&why, WHY_CAP);
	status = pool_load(start->settings, &start->config, &why);
	start->loaded = status == STATUS_OK;
	if (status == STATUS_INVALID) {
		fprintf(stderr, PROGRAM ": %s\n", buf_text(&why));
		code = EXIT_WRONG;
	} else if (status != STATUS_OK) {
		log_error("the settings cannot be loaded: %s", status_name(status));
		code = EXIT_FAILED;
	} else if (start->check_only) {
		printf("the settings are good\n");
		code = EXIT_DONE;
	}
	buf_clear(&why);
	return code;
}

static int prepare_process(struct startup *start)
{
	pool_open_log(&start->config);
	secret_protect_memory();
	start->signals = signals_init();
	return GO_ON;
}

static int open_sockets(struct startup *start)
{
	const struct config *config = &start->config;

	if (start->check_database)
		return GO_ON;
	if (start->handover.fd >= 0 && handover_keep(&start->handover, &start->config)) {
		log_error("no memory for what the running program handed over");
		return EXIT_FAILED;
	}
	start->caller_pool =
		!start->listen_given && start->handover.fd < 0 && listener_is(STDIN_FILENO);
	if (start->caller_pool) {
		signals_child();
		return GO_ON;
	}
	if ((!start->web.kept && listener_open(&start->web, config->listen, config)) ||
	    (*config->status_listen && start->status.fd < 0 &&
	     listener_open(&start->status, config->status_listen, config)))
		return EXIT_FAILED;
	return GO_ON;
}

/* What is set up differs from machine to machine, and nothing is changed by itself: it is said. */
static void see_room(const struct config *config, int64_t room)
{
	if (room >= 0 && config->workers.most + STORE_BESIDES > room)
		log_warn("PostgreSQL lets in %lld connections, and each of %lld workers takes one: "
			 "when it is full, requests get 503; put PgBouncer between, as "
			 "deploy/pgbouncer/README.md says",
			 (long long)room, (long long)config->workers.most);
}

/* Begun as early as can be: the server makes its process while we do the rest. */
static int connect_database(struct startup *start)
{
	start->reached = store_connect(&start->config, &start->tools.db);
	if (start->reached == STATUS_OK)
		start->reached = db_open(start->tools.db);
	return GO_ON;
}

static int check_database(struct startup *start)
{
	enum status status = start->reached;
	int version = 0;

	if (status == STATUS_OK)
		status = store_version(start->tools.db, &start->config, &version);
	if (status == STATUS_UNAVAILABLE || status == STATUS_TIMEOUT) {
		log_warn("the database cannot be reached: requests get 503 until it can");
		return start->check_database ? EXIT_FAILED : GO_ON;
	}
	if (status != STATUS_OK) {
		log_error("the database's schema cannot be checked: %s", status_name(status));
		return EXIT_FAILED;
	}
	if (version < STORE_SCHEMA_VERSION) {
		log_error("the database's schema has version %d, this program needs %d: run "
			  "banterctl migrate",
			  version, STORE_SCHEMA_VERSION);
		return EXIT_FAILED;
	}
	/*
	 * During an upgrade old workers run beside a new schema, whose old functions stay for a
	 * release.
	 */
	if (version > STORE_SCHEMA_VERSION)
		log_warn("the database's schema has version %d, newer than this program's %d: "
			 "install the newer program",
			 version, STORE_SCHEMA_VERSION);
	if (!start->caller_pool)
		see_room(&start->config, store_room(start->tools.db, &start->config));
	if (!start->check_database)
		return GO_ON;
	printf("the settings and the database's schema are good\n");
	return EXIT_DONE;
}

/* What is set up before the fork is shared by all workers. */
static int warm_up(struct startup *start)
{
	struct heap_filling *filling;
	enum status status;

	db_warm();
	json_warm();
	status = http_client_warm();
	filling = heap_fill(); /* what each worker writes of these two lies together */
	if (status == STATUS_OK)
		status = worker_tools_init(&start->tools, &start->config);
	heap_drain(filling);
	if (status == STATUS_OK)
		return GO_ON;
	log_error("libcurl cannot be set up");
	return EXIT_FAILED;
}

static int run(struct startup *start)
{
	bool handed = start->handover.fd >= 0, kept = start->web.kept;
	char workers[POOL_WORKERS_SIZE];

	if (start->caller_pool)
		return single_run(&start->config, &start->tools, STDIN_FILENO, start->signals);
	pool_name_workers(start->config.workers, workers);
	log_info("banter " BANTER_VERSION " on %s; workers: %s",
		 (handed ? start->handover.kept : kept) ? "the service manager's socket"
							: start->config.listen,
		 workers);
	if (handed) {
		handover_started(&start->handover);
		pool_open_log(&start->config);
	}
	return pool_run(&start->config, start->settings, &start->tools, &start->web, &start->status,
			start->signals, &start->upgrade, &start->handover);
}

int main(int argc, char **argv)
{
	static int (*const steps[])(struct startup *) = {
		load_settings, prepare_process, open_sockets, connect_database,
		warm_up,       check_database,	run,
	};
	struct startup start = { .web = LISTENER_NONE, .status = LISTENER_NONE };
	int code = EXIT_FAILED, taken;
	size_t i;

	upgrade_init(&start.upgrade, argv);
	if (handover_take(&start.handover))
		return EXIT_FAILED;
	code = read_options(&start, argc, argv);
	taken = take_socket(&start);
	if (code == GO_ON)
		code = taken;
	for (i = 0; code == GO_ON && i < COUNT(steps); i++)
		code = steps[i](&start);
	if (code != EXIT_DONE && start.web.kept && start.handover.fd < 0)
		listener_turn_away(start.web.fd);
	listener_close(&start.web);
	listener_close(&start.status);
	worker_tools_clear(&start.tools);
	if (start.loaded)
		config_clear(&start.config);
	settings_free(start.settings);
	return code;
}
