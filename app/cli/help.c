/* Help, from the table of commands. */
#include "cli/help.h"

#include <string.h>

#include "base/version.h"
#include "cli/command.h"
#include "cli/manual.h"
#include "ctl/commands.h"

#define LEFT 26 /* where meanings stand */
#define WIDTH 80

static void put_line(const char *name, const char *argument, const char *meaning, FILE *out)
{
	int used = fprintf(out, "  %s%s%s", name, argument && *argument ? " " : "",
			   argument ? argument : "");

	if (used > LEFT - 2) {
		putc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s", LEFT - used, "");
	terminal_put_words(str_from(meaning), LEFT, LEFT, WIDTH, out);
}

/* Lines that begin with a blank, and empty ones, stay as they are; what is between is one paragraph. */
static void put_more(const char *text, FILE *out)
{
	struct str rest = str_from(text), line;
	struct buf flow;

	buf_init(&flow, 1 << 16);
	while (rest.n) {
		line = str_cut(&rest, STR("\n"));
		if (line.n && *line.p != ' ')
			buf_printf(&flow, "%s%.*s", flow.len ? " " : "", STR_ARGS(line));
		if (flow.len && (!line.n || *line.p == ' ' || !rest.n)) {
			terminal_put_words(buf_view(&flow), 0, 0, WIDTH, out);
			buf_reset(&flow);
		}
		if (!line.n || *line.p == ' ')
			fprintf(out, "%.*s\n", STR_ARGS(line));
	}
	buf_clear(&flow);
}

static bool in_group(const struct cli_command *command, const char *word)
{
	size_t n = strlen(word);

	return strncmp(command->name, word, n) == 0 &&
	       (command->name[n] == ' ' || command->name[n] == '\0');
}

void help_all(FILE *out)
{
	const struct cli_command *const *room, *command;

	fprintf(out, "usage: banterctl [--config FILE] COMMAND [options]\n");
	for (room = ctl_commands; *room; room++) {
		putc('\n', out);
		for (command = *room; command->name; command++)
			put_line(command->name, NULL, command->meaning, out);
	}
	fprintf(out,
		"\n`banterctl COMMAND --help` says more of one, with an example.\n"
		"\nIt connects with BANTER_ADMIN_DATABASE_URL, else BANTER_DATABASE_URL, else\n"
		"libpq's PG variables. The settings are those of banter.fcgi: see its --help.\n"
		"Without --config, and if the environment names no database, they are read from\n"
		"/etc/banter/banter.conf, if that is there.\n"
		"\nexit codes:\n"
		"  0  done\n"
		"  1  it failed, or found something wrong; standard error says why\n"
		"  2  a wrong command, option or setting; nothing was done\n");
}

bool help_group(const char *word, FILE *out)
{
	const struct cli_command *const *room, *command;
	bool any = false;

	for (room = ctl_commands; *room; room++)
		for (command = *room; command->name; command++) {
			if (!in_group(command, word))
				continue;
			if (!any && out)
				fprintf(out, "usage: banterctl %s COMMAND [options]\n\n", word);
			any = true;
			if (out)
				put_line(command->name, NULL, command->meaning, out);
		}
	return any;
}

void help_command(const struct cli_command *command, FILE *out)
{
	const struct cli_option *option;
	struct buf line;

	buf_init(&line, 4096);
	buf_printf(&line, "banterctl %s %s %s", command->name, command->arguments,
		   command->options || command->flags & ~(unsigned)CLI_ALONE ? "[options]" : "");
	terminal_put_words(buf_view(&line), fprintf(out, "usage: "), 11, WIDTH, out);
	buf_reset(&line);
	buf_printf(&line, "%s.", command->meaning);
	putc('\n', out);
	terminal_put_words(buf_view(&line), 0, 0, WIDTH, out);
	buf_clear(&line);
	if (command->more) {
		putc('\n', out);
		put_more(command->more, out);
	}
	fprintf(out, "\noptions:\n");
	for (option = command->options; option && option->name; option++)
		put_line(option->name, option->value, option->meaning, out);
	if (command->flags & CLI_ASKS)
		put_line("--yes", NULL, "do not ask", out);
	if (command->flags & CLI_PRINTS) {
		put_line("--json", NULL, "print JSON", out);
		put_line("--csv", NULL, "print CSV", out);
	}
	put_line("--help", NULL, "print this", out);
	fprintf(out, "\nexample:\n  banterctl %s\n", command->example);
}

static int run_help(const struct cli_call *call)
{
	const struct cli_command *command;
	int used;

	if (!call->count) {
		help_all(stdout);
		return CLI_DONE;
	}
	command = cli_find(call->count, call->arguments, &used);
	if (command && used == call->count)
		help_command(command, stdout);
	else if (call->count > 1)
		return cli_say(CLI_WRONG, "%s %s: no such command; try banterctl help",
			       call->arguments[0], call->arguments[1]);
	else if (!help_group(call->arguments[0], stdout))
		return cli_say(CLI_WRONG, "%s: no such command; try banterctl help",
			       call->arguments[0]);
	return CLI_DONE;
}

static int run_version(const struct cli_call *call)
{
	(void)call;
	printf("banter " BANTER_VERSION "\n");
	return CLI_DONE;
}

static int run_completion(const struct cli_call *call)
{
	if (!completion_put(call->arguments[0], stdout))
		return cli_say(CLI_WRONG, "completions are for bash and zsh, not for %s",
			       call->arguments[0]);
	return CLI_DONE;
}

static int run_manual(const struct cli_call *call)
{
	if (!manual_put(call->arguments[0], stdout))
		return cli_say(CLI_WRONG,
			       "the pages are banterctl, banter.conf and settings, not %s",
			       call->arguments[0]);
	return CLI_DONE;
}

const struct cli_command ctl_program_commands[] = {
	{ .name = "help",
	  .arguments = "[COMMAND]",
	  .most = 2,
	  .meaning = "Prints what there is, or what one command does",
	  .example = "help chatbot create",
	  .flags = CLI_ALONE,
	  .run = run_help },
	{ .name = "completion",
	  .arguments = "bash|zsh",
	  .least = 1,
	  .most = 1,
	  .meaning = "Prints a shell's completion of these commands",
	  .more = "For bash:\n  source <(banterctl completion bash)\n"
		  "For zsh, in a folder of its fpath:\n  banterctl completion zsh >_banterctl",
	  .example = "completion bash >/etc/bash_completion.d/banterctl",
	  .flags = CLI_ALONE,
	  .run = run_completion },
	{ .name = "manual",
	  .arguments = "banterctl|banter.conf|settings",
	  .least = 1,
	  .most = 1,
	  .meaning = "Prints the source of a manual page, or of the page of settings",
	  .example = "manual banterctl | man -l -",
	  .flags = CLI_ALONE,
	  .run = run_manual },
	{ .name = "version",
	  .arguments = "",
	  .meaning = "Prints the version",
	  .example = "version",
	  .flags = CLI_ALONE,
	  .run = run_version },
	{ .name = NULL },
};
