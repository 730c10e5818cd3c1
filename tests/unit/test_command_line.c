/* cli/command_line: any program's words, held against that program's own table of commands. */
#include "unit.h"

#include <unistd.h>

#include "cli/call.h"
#include "cli/command_line.h"

static const struct cli_option feed_options[] = {
	{ "--limit", "N", "how many" },
	{ "--kind", "hay|oats", "of what" },
	{ "--since", "AGE", "since when" },
	{ "--dry-run", NULL, "do nothing" },
	{ .name = NULL },
};

static const struct cli_command stable[] = {
	{ .name = "horse feed",
	  .arguments = "HORSE [WHEN]",
	  .least = 1,
	  .most = 2,
	  .meaning = "Feeds a horse",
	  .example = "horse feed Bess",
	  .options = feed_options,
	  .flags = CLI_PRINTS | CLI_ASKS },
	{ .name = "sleep", .arguments = "", .meaning = "Sleeps", .example = "sleep" },
	{ .name = NULL },
};
static const struct cli_command *const groups[] = { stable, NULL };
static const struct cli_program program = { .name = "stablectl", .groups = groups };

static char said[4096];

/* Takes a line apart at its blanks; what is said goes into `said`. */
static int take(struct command_line *line, const char *text)
{
	static char copy[256];
	char *words[16], *at = copy;
	int count = 0, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), code;
	FILE *file = tmpfile();
	size_t n;

	assert_non_null(file);
	snprintf(copy, sizeof(copy), "%s", text);
	while ((words[count] = strtok(at, " "))) {
		at = NULL;
		count++;
	}
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	code = command_line_take(line, &program, count, words);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(file);
	n = fread(said, 1, sizeof(said) - 1, file);
	said[n] = '\0';
	fclose(file);
	return code;
}

static void a_call_is_what_was_said(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(
		take(&line, "--config f horse feed --limit 3 Bess --kind=oats --yes --json"),
		CLI_DONE);
	assert_string_equal(said, "");
	assert_ptr_equal(line.call.command, &stable[0]);
	assert_ptr_equal(line.call.program, &program);
	assert_string_equal(line.call.file, "f");
	assert_int_equal(line.call.count, 1);
	assert_string_equal(line.call.arguments[0], "Bess");
	assert_null(line.call.arguments[1]);
	assert_int_equal(cli_number(&line.call, "--limit", 7), 3);
	assert_string_equal(cli_value(&line.call, "--kind"), "oats");
	assert_null(cli_value(&line.call, "--dry-run"));
	assert_true(line.call.yes);
	assert_int_equal(line.call.form, TABLE_JSON);
	command_line_clear(&line);

	assert_int_equal(take(&line, "horse feed --dry-run -- --odd-name"), CLI_DONE);
	assert_string_equal(cli_value(&line.call, "--dry-run"), "");
	assert_string_equal(line.call.arguments[0], "--odd-name");
	assert_null(line.call.file);
	command_line_clear(&line);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{ "horse feed", "it needs HORSE [WHEN]; see stablectl horse feed --help" },
		{ "horse feed a b c", "c is one too many" },
		{ "horse feed a --limit", "--limit needs a value" },
		{ "horse feed a --limit x", "--limit needs a whole number" },
		{ "horse feed a --kind fish", "--kind is one of hay|oats" },
		{ "horse feed a --since 5x", "--since needs an age" },
		{ "horse feed a --dry-run=1", "--dry-run takes no value" },
		{ "horse feed a --config f", "--config stands before the command" },
		{ "sleep --yes", "--yes is no option of this command" },
		{ "sleep --json", "--json is no option of this command" },
		{ "horse ride", "horse ride: no such command" },
		{ "cow", "cow: no such command; try stablectl help" },
		{ "--limit 3", "options stand behind the command" },
		{ "--config", "--config needs a file" },
		{ "sleep sk-widget_1TCKi1nFuNhabc", "a key does not belong in a command line" },
		{ "", "usage: stablectl [--config FILE] COMMAND" },
	};
	struct command_line line;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(take(&line, cases[i].line), CLI_WRONG);
		if (!strstr(said, cases[i].words))
			print_error("\"%s\" says: %s\n", cases[i].line, said);
		assert_non_null(strstr(said, cases[i].words));
		command_line_clear(&line);
	}
}

static void help_is_no_fault(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(take(&line, "horse feed --help"), CLI_DONE);
	assert_true(line.help);
	assert_ptr_equal(line.call.command, &stable[0]);
	command_line_clear(&line);

	assert_int_equal(take(&line, "horse"), CLI_DONE);
	assert_null(line.call.command);
	assert_non_null(strstr(said, "usage: stablectl horse COMMAND [options]"));
	command_line_clear(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_what_was_said),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(help_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
