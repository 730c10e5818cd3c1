/*
 * banterctl doctor: the checks in their order, and how findings are shown.  People see each as soon
 * as it is known; programs get one table at the end.
 */
#include "doctor/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "ctl/commands.h"
#include "edge/http_client.h"

#define TEXT_CAP 2048
#define HEARD_CAP 65536
#define ASK_MS 10000
#define LEFT 10 /* columns before the words of a finding */

static const struct {
	const char *word, *colour;
} verdicts[] = {
	[DOCTOR_OK] = { "ok", "\033[32m" },
	[DOCTOR_WARNING] = { "warning", "\033[33m" },
	[DOCTOR_WRONG] = { "wrong", "\033[1;31m" },
	[DOCTOR_UNTRIED] = { "not tried", "\033[2m" },
};

/* What others said may be in it: nothing of that steers the terminal, and it is UTF-8, even where it was cut. */
__attribute__((format(printf, 1, 0))) static char *text_of(const char *format, va_list args)
{
	char *text = malloc(TEXT_CAP);

	if (!text)
		return NULL;
	vsnprintf(text, TEXT_CAP, format, args);
	log_plain(text);
	return text;
}

static bool shown(const struct doctor *doctor)
{
	return doctor->call->form == TABLE_PEOPLE;
}

static void put_finding(const struct doctor *doctor, const struct doctor_finding *finding)
{
	bool colours = doctor->terminal.colours;
	char line[TEXT_CAP + 64];

	printf("%s%-*s%s", colours ? verdicts[finding->verdict].colour : "", LEFT,
	       verdicts[finding->verdict].word, colours ? "\033[0m" : "");
	snprintf(line, sizeof(line), "%s: %s", finding->check, finding->found);
	terminal_put_words(str_from(line), LEFT, LEFT, doctor->terminal.width, stdout);
	fflush(stdout);
}

void doctor_find(struct doctor *doctor, enum doctor_verdict verdict, const char *check,
		 const char *format, ...)
{
	struct doctor_finding *finding = &doctor->found[doctor->count];
	va_list args;

	if (doctor->count == DOCTOR_FINDINGS)
		return;
	va_start(args, format);
	*finding = (struct doctor_finding){ verdict, check, text_of(format, args), NULL };
	va_end(args);
	if (!finding->found)
		return;
	doctor->count++;
	if (shown(doctor))
		put_finding(doctor, finding);
}

void doctor_step(struct doctor *doctor, const char *format, ...)
{
	struct doctor_finding *finding;
	char *step, *all = NULL;
	va_list args;

	if (!doctor->count)
		return;
	finding = &doctor->found[doctor->count - 1];
	va_start(args, format);
	step = text_of(format, args);
	va_end(args);
	if (!step || asprintf(&all, "%s%s%s", finding->steps ? finding->steps : "",
			      finding->steps ? "\n" : "", step) < 0) {
		free(step);
		return;
	}
	free(finding->steps);
	finding->steps = all;
	/* Never broken into lines: it may be a command to copy. */
	if (shown(doctor))
		printf("%*s%s %s\n", LEFT, "", doctor->terminal.utf8 ? "→" : "->", step);
	free(step);
}

void doctor_listen(struct doctor *doctor)
{
	buf_reset(&doctor->heard);
}

struct str doctor_heard(const struct doctor *doctor)
{
	struct str rest = buf_view(&doctor->heard), line, last = STR("no reason was given");

	while (rest.n) {
		line = str_cut(&rest, STR("\n"));
		last = line.n ? line : last;
	}
	return last;
}

struct db_rows *doctor_ask(struct doctor *doctor, struct db *db, const char *sql)
{
	struct db_rows *rows = NULL;
	struct db_query query;

	doctor_listen(doctor);
	db_query_init(&query, "doctor", sql);
	if (db_call(db, NULL, &query, clock_ms() + ASK_MS, &rows))
		return NULL;
	return rows;
}

static int count_of(const struct doctor *doctor, enum doctor_verdict verdict)
{
	int i, count = 0;

	for (i = 0; i < doctor->count; i++)
		count += doctor->found[i].verdict == verdict;
	return count;
}

static int put_table(const struct doctor *doctor)
{
	const struct doctor_finding *finding;
	struct table *table;

	if (table_new(&table))
		return cli_say(CLI_FAILED, "no memory");
	table_column(table, "check", TABLE_TEXT);
	table_column(table, "verdict", TABLE_TEXT);
	table_column(table, "found", TABLE_TEXT);
	table_column(table, "next_step", TABLE_TEXT);
	for (finding = doctor->found; finding < doctor->found + doctor->count; finding++) {
		table_cell(table, str_from(finding->check));
		table_cell(table, str_from(verdicts[finding->verdict].word));
		table_cell(table, str_from(finding->found));
		table_cell(table, str_from(finding->steps));
	}
	return cli_print_table(doctor->call, table, false);
}

static int conclude(const struct doctor *doctor)
{
	int wrong = count_of(doctor, DOCTOR_WRONG), warnings;

	if (!shown(doctor)) {
		if (put_table(doctor) != CLI_DONE)
			return CLI_FAILED;
	} else {
		warnings = count_of(doctor, DOCTOR_WARNING);
		printf("\n%d wrong, %d warning%s, %d ok, %d not tried\n", wrong, warnings,
		       warnings == 1 ? "" : "s", count_of(doctor, DOCTOR_OK),
		       count_of(doctor, DOCTOR_UNTRIED));
		errno = 0; /* an earlier failure's cause is not known here */
		if (fflush(stdout) || ferror(stdout))
			return cli_printed(STATUS_FAILED);
	}
	return wrong ? CLI_FAILED : CLI_DONE;
}

static void run_checks(struct doctor *doctor)
{
	static void (*const checks[])(struct doctor *) = {
		doctor_settings, doctor_files, doctor_database, doctor_server, doctor_upkeep,
		doctor_model,	 doctor_pool,  doctor_exchange, doctor_web,
	};
	size_t i;

	/* An interrupt ends it between two checks, and what was made for them is removed. */
	interrupt_catch();
	for (i = 0; i < COUNT(checks) && !interrupt_came(); i++)
		checks[i](doctor);
	doctor_tenant_leave(doctor);
}

static int run_doctor(const struct cli_call *call)
{
	struct doctor doctor = {
		.call = call,
		.config = call->config,
		.with_model = !cli_value(call, "--no-model"),
		.terminal = terminal_of(stdout),
	};
	const char *url = cli_value(call, "--url"), *ca = cli_value(call, "--ca");
	struct buf public;
	int code, i;

	if (url && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return cli_say(CLI_WRONG, "doctor: --url should begin with https:// or http://");
	if (url && strlen(url) > TEXT_CAP)
		return cli_say(CLI_WRONG, "doctor: --url is longer than %d bytes", TEXT_CAP);
	if (cli_value(call, "--key-file") && !url)
		return cli_say(CLI_WRONG, "doctor: --key-file goes with --url");
	if (ca && access(ca, R_OK))
		return cli_say(CLI_WRONG, "doctor: --ca: %s cannot be read: %s", ca,
			       strerror(errno));
	if (http_client_warm())
		return cli_say(CLI_FAILED, "libcurl cannot be set up");
	buf_init(&public, TEXT_CAP);
	buf_puts(&public, url ? url : "");
	while (public.len && public.data[public.len - 1] == '/')
		buf_truncate(&public, public.len - 1);
	doctor.url = url ? buf_text(&public) : NULL;
	buf_init(&doctor.heard, HEARD_CAP);
	log_divert(&doctor.heard);
	run_checks(&doctor);
	log_divert(NULL);
	code = interrupt_came()
		       ? cli_say(CLI_FAILED, "stopped; what was made to test with is removed")
		       : conclude(&doctor);
	for (i = 0; i < doctor.count; i++) {
		free(doctor.found[i].found);
		free(doctor.found[i].steps);
	}
	db_free(doctor.db);
	db_free(doctor.owner);
	buf_clear(&doctor.heard);
	buf_clear(&public);
	return code;
}

static const struct cli_option doctor_options[] = {
	{ "--url", "URL", "also test through the web server: the address that clients use" },
	{ "--key-file", "FILE",
	  "a widget key to test with (-: standard input); else one is made, and removed" },
	{ "--ca", "FILE",
	  "the authorities that vouch for the URL's certificate, if they are your own" },
	{ "--no-model", NULL, "ask the model nothing: that costs a few tokens" },
	{ .name = NULL },
};

const struct cli_command ctl_doctor_commands[] = {
	{ .name = "doctor",
	  .arguments = "",
	  .meaning = "Tries the real thing, and says what to do about what is wrong",
	  .more = "Each line is ok, a warning, wrong, or not tried since something before it is "
		  "wrong; beneath\n"
		  "it stands the next step. The settings should be those of the running pool, and "
		  "the user its\n"
		  "user. It changes nothing that stays: the exchanges it tests with are removed. "
		  "It "
		  "exits with 1\n"
		  "if anything is wrong; warnings alone are no failure.\n\n"
		  "With --url, the same answer is asked for at the pool's socket and through the "
		  "web "
		  "server, and\n"
		  "their pace is compared: that shows which of them holds tokens back.",
	  .example = "doctor --url https://chat.example.com",
	  .options = doctor_options,
	  .flags = CLI_PRINTS,
	  .run = run_doctor },
	{ .name = NULL },
};
