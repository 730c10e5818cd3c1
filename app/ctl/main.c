/*
 * banterctl: the operator's program. A table of commands over the same lower layers as banter.fcgi.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/version.h"
#include "ctl/command.h"
#include "edge/settings.h"

#define PROGRAM "banterctl"
#define WHY_CAP 4096

static const struct {
	const char *name;
	const char *arguments;
	const char *meaning;
	ctl_command_fn run; /* NULL: main's own */
} commands[] = {
	{ "migrate", "[--role NAME]",
	  "bring the database's schema up to this version; NAME is the role the application "
	  "connects as",
	  ctl_migrate },
	{ "demo", "[--env-file FILE]",
	  "make a workspace, a chatbot and keys to try things with, the same on every run with "
	  "the same FILE",
	  ctl_demo },
	{ "version", "", "print the version", NULL },
	{ "help", "", "print this", NULL },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	size_t i;

	fprintf(out, "usage: " PROGRAM " [--config FILE] COMMAND [options]\n\ncommands:\n");
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %s %s\n      %s\n", commands[i].name, commands[i].arguments,
			commands[i].meaning);
	fprintf(out,
		"\nIt connects with BANTER_ADMIN_DATABASE_URL, else BANTER_DATABASE_URL, else "
		"libpq's PG variables.\nThe settings are those of banter.fcgi: see its --help.\n"
		"\nexit codes:\n"
		"  0  done\n"
		"  1  it failed; standard error says why\n"
		"  2  a wrong command, option or setting\n"
		"\nexample:\n  " PROGRAM " migrate --role banter_app\n");
}

int ctl_connect(const struct config *config, struct db **out)
{
	struct db_target target = {
		.url = *config->admin_database_url ? config->admin_database_url
						   : config->database_url,
		.password = config->database_password,
		.connect_ms = config->database_connect_ms,
	};

	if (db_new(&target, out) == STATUS_OK)
		return CTL_DONE;
	fprintf(stderr, PROGRAM ": no memory\n");
	return CTL_FAILED;
}

int ctl_option(int argc, char **argv, const char *name, const char **out)
{
	if (argc == 1)
		return CTL_DONE;
	if (argc == 3 && strcmp(argv[1], name) == 0) {
		*out = argv[2];
		return CTL_DONE;
	}
	fprintf(stderr, PROGRAM " %s: the only option is %s VALUE\n", argv[0], name);
	return CTL_WRONG;
}

static int load(const char *file, struct settings **settings, struct config *config)
{
	enum status status;
	struct buf why;

	buf_init(&why, WHY_CAP);
	status = settings_new(file, settings);
	if (status == STATUS_OK)
		status = settings_load(*settings, config, &why);
	if (status)
		fprintf(stderr, PROGRAM ": %s\n",
			why.len ? buf_text(&why) : "the settings cannot be read");
	buf_clear(&why);
	if (status == STATUS_OK)
		return CTL_DONE;
	return status == STATUS_INVALID ? CTL_WRONG : CTL_FAILED;
}

static int run_command(size_t index, const char *file, int argc, char **argv)
{
	struct settings *settings = NULL;
	struct config config;
	int code;

	code = load(file, &settings, &config);
	if (code == CTL_DONE) {
		log_open(PROGRAM, LOG_LEVEL_INFO, false);
		secret_protect_memory();
		code = commands[index].run(&config, argc, argv);
		config_clear(&config);
	}
	settings_free(settings);
	return code;
}

int main(int argc, char **argv)
{
	const char *file = NULL;
	size_t i;

	if (argc > 2 && strcmp(argv[1], "--config") == 0) {
		file = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 2) {
		print_help(stderr);
		return CTL_WRONG;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return CTL_DONE;
	}
	if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
		printf("banter " BANTER_VERSION "\n");
		return CTL_DONE;
	}
	for (i = 0; i < COMMANDS; i++)
		if (commands[i].run && strcmp(argv[1], commands[i].name) == 0)
			return run_command(i, file, argc - 1, argv + 1);
	fprintf(stderr, PROGRAM ": %s: no such command; try " PROGRAM " help\n", argv[1]);
	return CTL_WRONG;
}
