/* The manual pages that are tables: commands and settings, in mdoc(7). */
#include "cli/manual.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/settings_page.h"
#include "wire/config.h"

#define LINE 76

/* A character beyond ASCII by its number, in words every formatter knows; the text behind it. */
static struct str put_wide(struct str text, FILE *out)
{
	uint32_t c = '?';
	size_t n = utf8_character(text, &c);

	if (c == 0x2026)
		fputs("...", out);
	else
		fprintf(out, "\\[u%04X]", (unsigned)c);
	return str_skip(text, n ? n : 1);
}

/* Words of a macro's line, or of a text's: nothing in them is an order to the formatter. */
static void put(struct str words, bool quoted, FILE *out)
{
	while (words.n) {
		if ((unsigned char)*words.p >= 0x80) {
			words = put_wide(words, out);
			continue;
		}
		if (*words.p == '\\')
			fputs("\\e", out);
		else if (*words.p == '"' && quoted)
			fputs("\\(dq", out);
		else
			putc(*words.p, out);
		words = str_skip(words, 1);
	}
}

/*
 * Text in lines of a fitting length, each sentence on a new one, as mdoc wants it. The first letter
 * is made a capital where it begins a sentence of its own.
 */
static void put_text(struct str text, bool capital, FILE *out)
{
	bool sentence = false;
	size_t column = 0;
	struct str word;

	while (text.n) {
		word = str_cut(&text, STR(" "));
		if (!word.n)
			continue;
		if (column &&
		    (column + 1 + word.n > LINE || (sentence && isupper((unsigned char)*word.p)))) {
			putc('\n', out);
			column = 0;
		} else if (column) {
			putc(' ', out);
			column++;
		}
		if (!column && (*word.p == '.' || *word.p == '\''))
			fputs("\\&", out);
		if (capital && islower((unsigned char)*word.p)) {
			putc(toupper((unsigned char)*word.p), out);
			column++;
			word = str_skip(word, 1);
		}
		capital = false;
		put(word, false, out);
		column += word.n;
		sentence = word.n && word.p[word.n - 1] == '.';
	}
}

/* A word or an example; and, behind two blanks or more, what it means. */
static void put_item(struct str line, FILE *out)
{
	struct str word = str_cut(&line, STR("  "));

	fputs(".It ", out);
	put(word, false, out);
	putc('\n', out);
	while (line.n && *line.p == ' ')
		line = str_skip(line, 1);
	put_text(line, false, out);
	fputs(line.n ? "\n" : "", out);
}

/* What it lays out stays: lines that begin with blanks are a list, empty ones part paragraphs. */
static void put_paragraphs(const char *text, FILE *out)
{
	struct str rest = str_from(text), line;
	bool list = false;
	struct buf flow;

	buf_init(&flow, 1 << 16);
	while (rest.n || flow.len) {
		line = str_cut(&rest, STR("\n"));
		if (list && (!line.n || *line.p != ' ')) {
			fputs(".El\n", out);
			list = false;
		}
		if (line.n && *line.p != ' ') {
			buf_printf(&flow, "%s%.*s", flow.len ? " " : "", STR_ARGS(line));
			if (rest.n)
				continue;
			line.n = 0;
		}
		if (flow.len) {
			put_text(buf_view(&flow), false, out);
			putc('\n', out);
			buf_reset(&flow);
		}
		if (line.n) {
			fputs(list ? "" : ".Bl -tag -width Ds -compact\n", out);
			list = true;
			put_item(str_skip(line, strspn(line.p, " ")), out);
		} else if (rest.n) {
			fputs(".Pp\n", out);
		}
	}
	fputs(list ? ".El\n" : "", out);
	buf_clear(&flow);
}

static void put_sentence(const char *text, FILE *out)
{
	put_text(str_from(text), true, out);
	fputs(".\n", out);
}

static void put_head(const char *name, const char *title, const char *section, const char *what,
		     FILE *out)
{
	fprintf(out, ".Dd " MANUAL_DATE "\n.Dt %s %s\n.Os\n", title, section);
	fprintf(out, ".Sh NAME\n.Nm %s\n.Nd %s\n", name, what);
}

static void put_option(const char *name, const char *value, const char *meaning, FILE *out)
{
	fprintf(out, ".It Fl %s", name + 1);
	if (value)
		fprintf(out, " Ar %s", value);
	putc('\n', out);
	put_sentence(meaning, out);
}

static void put_options(const struct cli_command *command, FILE *out)
{
	const struct cli_option *option = command->options;

	if (!option && !(command->flags & CLI_ASKS))
		return;
	fputs(".Bl -tag -width Ds\n", out);
	for (; option && option->name; option++)
		put_option(option->name, option->value, option->meaning, out);
	if (command->flags & CLI_ASKS)
		put_option("--yes", NULL, "do not ask", out);
	fputs(".El\n", out);
}

static void put_command(const struct cli_command *command, FILE *out)
{
	fprintf(out, ".It Cm %s", command->name);
	if (*command->arguments) {
		fputs(" Ar \"", out);
		put(str_from(command->arguments), true, out);
		putc('"', out);
	}
	putc('\n', out);
	put_sentence(command->meaning, out);
	if (command->flags & CLI_PRINTS)
		fputs("Takes\n.Fl -json\nand\n.Fl -csv .\n", out);
	put_options(command, out);
	if (command->more) {
		fputs(".Pp\n", out);
		put_paragraphs(command->more, out);
	}
	fputs(".Pp\nExample:\n.Dl banterctl ", out);
	put(str_from(command->example), true, out);
	putc('\n', out);
}

static void put_banterctl(const struct cli_program *program, FILE *out)
{
	const struct cli_command *const *group, *command;

	put_head("banterctl", "BANTERCTL", "1", "the operator's program of Banter", out);
	fputs(".Sh SYNOPSIS\n.Nm\n.Op Fl -config Ar FILE\n.Ar COMMAND\n.Op Ar options\n"
	      ".Sh DESCRIPTION\n"
	      "Everything the person does who runs Banter: the schema, workspaces,\n"
	      "chatbots,\n"
	      "keys, credits, conversations, statistics, and finding out what is wrong.\n.Pp\n"
	      "It connects with\n.Ev BANTER_ADMIN_DATABASE_URL ,\nelse\n.Ev BANTER_DATABASE_URL ,\n"
	      "else libpq's PG variables.\n"
	      "The settings are those of\n.Xr banter.fcgi 8 :\n"
	      "the environment's, or those of the file that\n.Fl -config\nnames; see\n"
	      ".Xr banter.conf 5 .\n"
	      "Without\n.Fl -config ,\nand if the environment names no database, they are those "
	      "of\n"
	      ".Pa /etc/banter/banter.conf ,\nif that is there.\n.Pp\n"
	      "Tables fit the terminal; where standard output is none, nothing is cut.\n"
	      "With\n.Fl -json\nor\n.Fl -csv\na command prints what programs read, with the same "
	      "names.\n"
	      "Times are UTC.\n"
	      "Commands that cannot be undone ask first;\n.Fl -yes\nanswers for scripts.\n"
	      "Keys, prompts and messages are never taken from the command line, which other\n"
	      "users of the machine can see: they come from files or standard input.\n"
	      ".Sh COMMANDS\n.Bl -tag -width Ds\n",
	      out);
	for (group = program->groups; *group; group++)
		for (command = *group; command->name; command++)
			put_command(command, out);
	fputs(".El\n"
	      ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev NO_COLOR\n"
	      "If it is set and not empty, no colours are used.\n.El\n"
	      ".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
	      ".It 0\nDone.\n"
	      ".It 1\nIt failed, or found something wrong; standard error says why.\n"
	      ".It 2\nA wrong command, option or setting; nothing was done.\n.El\n"
	      ".Sh SEE ALSO\n.Xr psql 1 ,\n.Xr banter.conf 5 ,\n.Xr banter.fcgi 8\n",
	      out);
}

static void put_setting(const struct config_entry *entry, FILE *out)
{
	struct buf allowed;

	fprintf(out, ".It Ev %s", entry->name);
	if (*entry->fallback) {
		fputs(" No = Ar \"", out);
		put(str_from(entry->fallback), true, out);
		putc('"', out);
	}
	putc('\n', out);
	put_sentence(entry->meaning, out);
	buf_init(&allowed, 4096);
	buf_printf(&allowed, "Allowed: %s.", entry->allowed);
	put_text(buf_view(&allowed), false, out);
	putc('\n', out);
	buf_clear(&allowed);
	if (entry->secret)
		fprintf(out, "A secret:\n.Ev %s_FILE\nmay name a file that holds it.\n",
			entry->name);
	if (entry->also)
		fprintf(out, "If it is unset,\n.Ev %s\ncounts.\n", entry->also);
	if (entry->restart)
		fputs("A change needs a restart.\n", out);
}

/* What may stand in a section of the file of model servers. */
static void put_servers(FILE *out)
{
	struct config_entry entry;
	size_t i;

	fputs(".Sh MODEL SERVERS\n"
	      "The file that\n.Ev BANTER_MODEL_SERVERS\n"
	      "names has a section for each further server of models:\n"
	      "a line\n.Ql [NAME] ,\nthen lines of the form\n.Ql NAME=value ,\n"
	      "as in the file of settings.\n"
	      "Chatbots list servers by their names, in the order in which they are asked.\n"
	      "What a section leaves out has the default of the setting that stands beside it;\n"
	      "its URL it must have.\n"
	      "A secret may come from a file, as there:\n.Ev KEY_FILE .\n"
	      ".Bl -tag -width CONNECT_TIME\n",
	      out);
	for (i = 0; config_entry_at(i, &entry); i++)
		if (entry.of_server)
			fprintf(out, ".It Ev %s\nas\n.Ev %s\n",
				entry.name + strlen(CONFIG_SERVER_PREFIX), entry.name);
	fputs(".El\n", out);
}

static void put_settings(FILE *out)
{
	struct config_entry entry;
	size_t i;

	put_head("banter.conf", "BANTER.CONF", "5", "the settings of Banter", out);
	fputs(".Sh DESCRIPTION\n"
	      "Settings come from the environment, or from a file that\n.Fl -config\n"
	      "names, which wins.\n"
	      "The file has lines of the form\n.Ql NAME=value ;\n"
	      "empty lines, and lines that begin with\n.Ql # ,\nare skipped.\n"
	      "White space around name and value is dropped, and a value may stand in quotes.\n"
	      "A wrong setting stops the start, and is named.\n.Pp\n"
	      "On SIGHUP a pool reads the file, and the files of secrets, again and exchanges\n"
	      "its workers one by one: so a model's key is changed without a restart.\n"
	      "What a restart is needed for says so below.\n"
	      ".Sh SETTINGS\nEach with its default, if it has one.\n.Bl -tag -width Ds\n",
	      out);
	for (i = 0; config_entry_at(i, &entry); i++)
		put_setting(&entry, out);
	fputs(".El\n", out);
	put_servers(out);
	fputs(".Sh SEE ALSO\n.Xr banterctl 1 ,\n.Xr banter.fcgi 8\n", out);
}

bool manual_put(const struct cli_program *program, const char *page, FILE *out)
{
	if (strcmp(page, "banterctl") == 0)
		put_banterctl(program, out);
	else if (strcmp(page, "banter.conf") == 0)
		put_settings(out);
	else if (strcmp(page, "settings") == 0)
		settings_page_put(out);
	else
		return false;
	return true;
}
