/*
 * banterctl: the operator's program.  The command line is held against the table of commands, the
 * settings are loaded, the command is run.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/log.h"
#include "base/secret.h"
#include "chat/key.h"
#include "cli/command.h"
#include "cli/help.h"
#include "edge/settings.h"

#define PROGRAM "banterctl"
#define WHY_CAP 4096
#define SERVICE_FILE "/etc/banter/banter.conf"

/* The command line, taken apart. */
struct command_line {
	const char *file;
	bool help;
	struct cli_call call;
};

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

static int run_command(struct command_line *line)
{
	struct settings *settings = NULL;
	struct config config;
	int code;

	log_open(PROGRAM, LOG_LEVEL_INFO, LOG_PERSON);
	if (!line->file)
		line->file = default_file();
	code = load(line->file, &settings, &config);
	if (code == CLI_DONE) {
		secret_protect_memory();
		line->call.config = &config;
		line->call.file = line->file;
		code = line->call.command->run(&line->call);
		if (code == CLI_FAILED)
			cli_explain(&line->call);
		config_clear(&config);
	}
	settings_free(settings);
	return code;
}

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
	struct str rest = str_from(words);

	while (rest.n)
		if (str_equal(str_cut(&rest, STR("|")), str_from(text)))
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
	return cli_say(CLI_WRONG, "%s: %s %s; see banterctl %s --help", line->call.command->name,
		       what, why, line->call.command->name);
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

static int no_such_command(int count, char **words)
{
	bool helps = count == 1 || strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0;

	if (words[0][0] != '-' && help_group(words[0], NULL)) {
		if (!helps)
			cli_say(CLI_WRONG, "%s %s: no such command", words[0], words[1]);
		help_group(words[0], helps ? stdout : stderr);
		return helps ? CLI_DONE : CLI_WRONG;
	}
	if (words[0][0] == '-')
		return cli_say(CLI_WRONG,
			       "%s: options stand behind the command, --config FILE alone "
			       "before it; try banterctl help",
			       words[0]);
	return cli_say(CLI_WRONG, "%s: no such command; try banterctl help", words[0]);
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

int main(int argc, char **argv)
{
	struct command_line line = { .call.form = TABLE_PEOPLE };
	char **words;
	int used, code, i;

	setlocale(LC_CTYPE, "");
	argv++, argc--;
	if (argc && is_option(argv[0], "--config", &line.file)) {
		used = line.file ? 1 : 2;
		if (argc < used)
			return cli_say(CLI_WRONG, "--config needs a file");
		line.file = line.file ? line.file : argv[1];
		argv += used, argc -= used;
	}
	if (argc == 0) {
		help_all(stderr);
		return CLI_WRONG;
	}
	if (any_key(argc, argv))
		return cli_say(CLI_WRONG, "a key does not belong in a command line; its id or its "
					  "last four characters name it");
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		argv[0] = "help";
	if (strcmp(argv[0], "--version") == 0)
		argv[0] = "version";
	line.call.command = cli_find(argc, argv, &used);
	if (!line.call.command)
		return no_such_command(argc, argv);
	/* With room for what is left out, so that a command may look at all it could have. */
	words = calloc((size_t)argc + 16, sizeof(*words));
	if (!words)
		return cli_say(CLI_FAILED, "no memory");
	memcpy(words, argv + used, (size_t)(argc - used) * sizeof(*words));
	code = take_words(&line, argc - used, words);
	for (i = line.call.count; code == CLI_DONE && i < argc; i++)
		words[i] = NULL;
	if (code == CLI_DONE && line.help)
		help_command(line.call.command, stdout);
	else if (code == CLI_DONE && line.call.command->flags & CLI_ALONE)
		code = line.call.command->run(&line.call);
	else if (code == CLI_DONE)
		code = run_command(&line);
	free(words);
	errno = 0; /* an earlier failure's cause is not known here */
	if ((fflush(stdout) || ferror(stdout)) && code == CLI_DONE)
		code = cli_printed(STATUS_FAILED);
	return code;
}
