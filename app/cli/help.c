/* Help, from the table of commands. */
#include "cli/help.h"

#include <string.h>

#include "base/buf.h"

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

void help_all(const struct cli_program *program, FILE *out)
{
	const struct cli_command *const *group, *command;

	fprintf(out, "usage: %s [--config FILE] COMMAND [options]\n", program->name);
	for (group = program->groups; *group; group++) {
		putc('\n', out);
		for (command = *group; command->name; command++)
			put_line(command->name, NULL, command->meaning, out);
	}
	fprintf(out,
		"\n`%s COMMAND --help` says more of one, with an example.\n"
		"\nIt connects with BANTER_ADMIN_DATABASE_URL, else BANTER_DATABASE_URL, else\n"
		"libpq's PG variables. The settings are those of banter.fcgi: see its --help.\n"
		"Without --config, and if the environment names no database, they are read from\n"
		"/etc/banter/banter.conf, if that is there.\n"
		"\nexit codes:\n"
		"  0  done\n"
		"  1  it failed, or found something wrong; standard error says why\n"
		"  2  a wrong command, option or setting; nothing was done\n",
		program->name);
}

bool help_group(const struct cli_program *program, const char *word, FILE *out)
{
	const struct cli_command *const *group, *command;
	bool any = false;

	for (group = program->groups; *group; group++)
		for (command = *group; command->name; command++) {
			if (!in_group(command, word))
				continue;
			if (!any && out)
				fprintf(out, "usage: %s %s COMMAND [options]\n\n", program->name,
					word);
			any = true;
			if (out)
				put_line(command->name, NULL, command->meaning, out);
		}
	return any;
}

void help_command(const struct cli_program *program, const struct cli_command *command, FILE *out)
{
	const struct cli_option *option;
	struct buf line;

	buf_init(&line, 4096);
	buf_printf(&line, "%s %s %s %s", program->name, command->name, command->arguments,
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
	fprintf(out, "\nexample:\n  %s %s\n", program->name, command->example);
}
