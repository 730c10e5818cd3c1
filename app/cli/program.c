/* An operator's program: the command line is taken apart, the settings are loaded, the command is run. */
#include "cli/program.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/count.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/call.h"
#include "cli/command_line.h"
#include "cli/help.h"
#include "cli/rows.h"
#include "edge/settings.h"

#define WHY_CAP 4096
#define OUT_SIZE 8192
#define SERVICE_FILE "/etc/banter/banter.conf"

static int load(const char *file, struct settings **settings, struct config *config)
{
	enum status status;
	struct buf why;

	buf_init(&why, WHY_CAP);
	status = settings_new(file, settings);
	if (status == STATUS_OK)
		status = settings_load(*settings, config, &why);
	if (status)
		cli_say(CLI_FAILED, "%s", why.len ? buf_text(&why) : "the settings cannot be read");
	buf_clear(&why);
	if (status == STATUS_OK)
		return CLI_DONE;
	return status == STATUS_INVALID ? CLI_WRONG : CLI_FAILED;
}

/*
 * What the package's service uses, so that its operator need not name it; unless the environment
 * names a database: that one is meant then.
 */
static const char *default_file(void)
{
	static const char *const names[] = {
		"BANTER_DATABASE_URL",
		"BANTER_DATABASE_URL_FILE",
		"BANTER_ADMIN_DATABASE_URL",
		"BANTER_ADMIN_DATABASE_URL_FILE",
		"PGHOST",
		"PGHOSTADDR",
		"PGPORT",
		"PGDATABASE",
		"PGSERVICE",
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (getenv(names[i]))
			return NULL;
	return access(SERVICE_FILE, F_OK) == 0 ? SERVICE_FILE : NULL;
}

int program_with_settings(const struct cli_call *given, int (*run)(const struct cli_call *call))
{
	struct cli_call call = *given; /* it borrows what lives here */
	struct settings *settings = NULL;
	struct config config;
	bool refused = false;
	int code;

	log_open(call.program->name, LOG_LEVEL_INFO, LOG_PERSON);
	if (!call.file)
		call.file = default_file();
	code = load(call.file, &settings, &config);
	if (code == CLI_DONE) {
		secret_protect_memory();
		call.config = &config;
		call.refused = &refused;
		code = run(&call);
		if (code == CLI_FAILED && refused)
			call.program->explain(&call);
		config_clear(&config);
	}
	settings_free(settings);
	return code;
}

int program_run(const struct cli_program *program, int argc, char **argv)
{
	static char out[OUT_SIZE]; /* stdout's to its end: exit() writes what is in it */
	struct command_line line;
	int code;

	setlocale(LC_CTYPE, "");
	/* Help fits in: that it could not be printed is known at the end, and why. */
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, out, _IOFBF, sizeof(out));
	program_invocation_short_name = (char *)program->name; /* as cli_say() has it */
	code = command_line_take(&line, program, argc - 1, argv + 1);
	if (code == CLI_DONE && line.help)
		help_command(program, line.call.command, stdout);
	else if (code == CLI_DONE && line.call.command && line.call.command->flags & CLI_ALONE)
		code = line.call.command->run(&line.call);
	else if (code == CLI_DONE && line.call.command)
		code = program_with_settings(&line.call, line.call.command->run);
	command_line_clear(&line);
	errno = 0; /* an earlier failure's cause is not known here */
	if ((fflush(stdout) || ferror(stdout)) && code == CLI_DONE)
		code = cli_printed(STATUS_FAILED);
	return code;
}
