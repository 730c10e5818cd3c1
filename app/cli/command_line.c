/*
 * The command line, held against the table of commands.  What is wrong with it is said here; nothing
 * is run.
 */
#include "cli/command_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/key.h"
#include "cli/call.h"
#include "cli/help.h"

#define WHY_CAP 4096
#define LEFT_OUT 16 /* arguments that a command may look for and not find */

/* "--name" or "--name=value" at `word`; *value then points behind the sign. */
static bool is_option(const char *word, const char *name, const char **value)
{
	size_t n = strlen(name);

	if (strncmp(word, name, n) != 0 || (word[n] && word[n] != '='))
		return false;
	*value = word[n] ? word + n + 1 : NULL;
	return true;
}

static bool whole_number(const char *text)
{
	return *text && strlen(text) <= 9 && !text[strspn(text, "0123456789")];
}

/* "18h", "90d": as sql/inner/ago.sql has it. */
static bool age(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n >= 1 && n <= 6 && text[n] && strchr("hdwy", text[n]) && !text[n + 1];
}

/* One of the words of "day|chatbot|model". */
static bool choice(const char *words, const char *text)
{
	struct str rest = str_from(words), given = { text, strlen(text) };

	while (rest.n)
		if (str_equal(str_cut(&rest, STR("|")), given))
			return true;
	return false;
}

/* Whether an option's value is what its name in the table says; `why` (cap some bytes): what is. */
static bool fits(const char *name, const char *value, struct buf *why)
{
	if (strcmp(name, "N") == 0 && !whole_number(value))
		buf_puts(why, "needs a whole number, of nine digits at most");
	else if (strcmp(name, "AGE") == 0 && !age(value))
		buf_puts(why, "needs an age: a number and h, d, w or y (18h, 90d, 12w, 2y)");
	else if (strchr(name, '|') && !choice(name, value))
		buf_printf(why, "is one of %s", name);
	return !why->len;
}

static int wrong(const struct command_line *line, const char *what, const char *why)
{
	return cli_say(CLI_WRONG, "%s: %s %s; see %s %s --help", line->call.command->name, what,
		       why, line->call.program->name, line->call.command->name);
}

/* Those every command may have. */
static bool common_option(struct command_line *line, const char *word)
{
	unsigned flags = line->call.command->flags;

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		line->help = true;
	else if ((flags & CLI_ASKS) && strcmp(word, "--yes") == 0)
		line->call.yes = true;
	else if ((flags & CLI_PRINTS) && strcmp(word, "--json") == 0)
		line->call.form = TABLE_JSON;
	else if ((flags & CLI_PRINTS) && strcmp(word, "--csv") == 0)
		line->call.form = TABLE_CSV;
	else
		return false;
	return true;
}

/* An option at words[0], perhaps with its value at words[1]; *used: how many. */
static int take_option(struct command_line *line, int count, char **words, int *used)
{
	const struct cli_option *options = line->call.command->options;
	const char *value = NULL;
	struct buf why;
	bool fit;
	int i;

	*used = 1;
	if (common_option(line, words[0]))
		return CLI_DONE;
	for (i = 0; options && options[i].name; i++)
		if (is_option(words[0], options[i].name, &value))
			break;
	if (!options || !options[i].name)
		return wrong(line, words[0],
			     is_option(words[0], "--config", &value)
				     ? "stands before the command"
				     : "is no option of this command");
	if (!options[i].value && value)
		return wrong(line, options[i].name, "takes no value");
	if (options[i].value && !value) {
		if (count < 2)
			return wrong(line, options[i].name, "needs a value");
		value = words[1];
		*used = 2;
	}
	buf_init(&why, WHY_CAP);
	fit = !options[i].value || fits(options[i].value, value, &why);
	if (!fit)
		wrong(line, options[i].name, buf_text(&why));
	buf_clear(&why);
	if (!fit)
		return CLI_WRONG;
	line->call.values[i] = value ? value : "";
	return CLI_DONE;
}

/* No option begins with a digit: "-20" is a number. */
static bool looks_like_option(const char *word)
{
	return word[0] == '-' && word[1] && !strchr("0123456789", word[1]);
}

/* The words behind the command's name. Arguments are moved to the front, what is left out is NULL. */
static int take_words(struct command_line *line, int count, char **words)
{
	struct cli_call *call = &line->call;
	bool ended = false;
	int i = 0, used, code;

	call->arguments = words;
	while (i < count) {
		if (!ended && strcmp(words[i], "--") == 0) {
			ended = true;
			i++;
		} else if (!ended && looks_like_option(words[i])) {
			code = take_option(line, count - i, words + i, &used);
			if (code != CLI_DONE)
				return code;
			i += used;
		} else {
			call->arguments[call->count++] = words[i++];
		}
	}
	if (line->help)
		return CLI_DONE;
	if (call->count < call->command->least)
		return wrong(line, "it needs", call->command->arguments);
	if (call->command->most >= 0 && call->count > call->command->most)
		return wrong(line, call->arguments[call->command->most], "is one too many");
	return CLI_DONE;
}

static int no_such_command(const struct cli_program *program, int count, char **words)
{
	bool helps = count == 1 || strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0;

	if (words[0][0] != '-' && help_group(program, words[0], NULL)) {
		if (!helps)
			cli_say(CLI_WRONG, "%s %s: no such command", words[0], words[1]);
		help_group(program, words[0], helps ? stdout : stderr);
		return helps ? CLI_DONE : CLI_WRONG;
	}
	if (words[0][0] == '-')
		return cli_say(CLI_WRONG,
			       "%s: options stand behind the command, --config FILE alone "
			       "before it; try %s help",
			       words[0], program->name);
	return cli_say(CLI_WRONG, "%s: no such command; try %s help", words[0], program->name);
}

/* Others of this machine read the process list, and a shell keeps what was typed. */
static bool any_key(int count, char **words)
{
	int i;

	for (i = 0; i < count; i++)
		if (key_stands_in(str_from(words[i])))
			return true;
	return false;
}

/* "--config FILE" or "--config=FILE", which may stand before the command; *used: the words it takes. */
static int take_file(struct command_line *line, int count, char **words, int *used)
{
	*used = 0;
	if (!count || !is_option(words[0], "--config", &line->call.file))
		return CLI_DONE;
	*used = line->call.file ? 1 : 2;
	if (count < *used)
		return cli_say(CLI_WRONG, "--config needs a file");
	if (!line->call.file)
		line->call.file = words[1];
	return CLI_DONE;
}

/* The command's own words, copied, with room for what is left out. */
static int take_command(struct command_line *line, int count, char **words)
{
	struct cli_call *call = &line->call;
	int code, i;

	line->words = calloc((size_t)count + LEFT_OUT, sizeof(*line->words));
	if (!line->words)
		return cli_say(CLI_FAILED, "no memory");
	memcpy(line->words, words, (size_t)count * sizeof(*words));
	code = take_words(line, count, line->words);
	for (i = call->count; code == CLI_DONE && i < count + LEFT_OUT; i++)
		line->words[i] = NULL;
	return code;
}

int command_line_take(struct command_line *line, const struct cli_program *program, int count,
		      char **words)
{
	int used, code;

	*line = (struct command_line){ .call = { .program = program, .form = TABLE_PEOPLE } };
	code = take_file(line, count, words, &used);
	if (code != CLI_DONE)
		return code;
	words += used, count -= used;
	if (count == 0) {
		help_all(program, stderr);
		return CLI_WRONG;
	}
	if (any_key(count, words))
		return cli_say(CLI_WRONG, "a key does not belong in a command line; its id or its "
					  "last four characters name it");
	if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0)
		words[0] = "help";
	if (strcmp(words[0], "--version") == 0)
		words[0] = "version";
	line->call.command = command_find(program, count, words, &used);
	if (!line->call.command)
		return no_such_command(program, count, words);
	return take_command(line, count - used, words + used);
}

void command_line_clear(struct command_line *line)
{
	free(line->words);
}
