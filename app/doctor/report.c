/* Findings: keeping them, and the forms in which they are shown. */
#include "doctor/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/call.h"
#include "cli/rows.h"

#define TEXT_CAP 2048
#define HEARD_CAP 65536
#define LEFT 10 /* columns before the words of a finding */

static const struct {
	const char *word, *colour;
} verdicts[] = {
	[REPORT_OK] = { "ok", "\033[32m" },
	[REPORT_WARNING] = { "warning", "\033[33m" },
	[REPORT_WRONG] = { "wrong", "\033[1;31m" },
	[REPORT_UNTRIED] = { "not tried", "\033[2m" },
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

void report_init(struct report *report, const struct cli_call *call)
{
	*report = (struct report){ .call = call, .terminal = terminal_of(stdout) };
	buf_init(&report->heard, HEARD_CAP);
	log_divert(&report->heard);
}

void report_clear(struct report *report)
{
	int i;

	log_divert(NULL);
	for (i = 0; i < report->count; i++) {
		free(report->found[i].found);
		free(report->found[i].steps);
	}
	buf_clear(&report->heard);
}

static bool shown(const struct report *report)
{
	return report->call->form == TABLE_PEOPLE;
}

static void put_finding(const struct report *report, const struct report_finding *finding)
{
	bool colours = report->terminal.colours;
	char line[TEXT_CAP + 64];

	printf("%s%-*s%s", colours ? verdicts[finding->verdict].colour : "", LEFT,
	       verdicts[finding->verdict].word, colours ? "\033[0m" : "");
	snprintf(line, sizeof(line), "%s: %s", finding->check, finding->found);
	terminal_put_words(str_from(line), LEFT, LEFT, report->terminal.width, stdout);
	fflush(stdout);
}

void report_find(struct report *report, enum report_verdict verdict, const char *check,
		 const char *format, ...)
{
	struct report_finding *finding = &report->found[report->count];
	va_list args;

	if (report->count == REPORT_FINDINGS)
		return;
	va_start(args, format);
	*finding = (struct report_finding){ verdict, check, text_of(format, args), NULL };
	va_end(args);
	if (!finding->found)
		return;
	report->count++;
	if (shown(report))
		put_finding(report, finding);
}

void report_step(struct report *report, const char *format, ...)
{
	struct report_finding *finding;
	char *step, *all = NULL;
	va_list args;

	if (!report->count)
		return;
	finding = &report->found[report->count - 1];
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
	if (shown(report))
		printf("%*s%s %s\n", LEFT, "", report->terminal.utf8 ? "→" : "->", step);
	free(step);
}

void report_listen(struct report *report)
{
	buf_reset(&report->heard);
}

struct str report_heard(const struct report *report)
{
	struct str rest = buf_view(&report->heard), line, last = STR("no reason was given");

	while (rest.n) {
		line = str_cut(&rest, STR("\n"));
		last = line.n ? line : last;
	}
	return last;
}

static int count_of(const struct report *report, enum report_verdict verdict)
{
	int i, count = 0;

	for (i = 0; i < report->count; i++)
		count += report->found[i].verdict == verdict;
	return count;
}

static int put_table(const struct report *report)
{
	const struct report_finding *finding;
	struct table *table;

	if (table_new(&table))
		return cli_say(CLI_FAILED, "no memory");
	table_column(table, "check", TABLE_TEXT);
	table_column(table, "verdict", TABLE_TEXT);
	table_column(table, "found", TABLE_TEXT);
	table_column(table, "next_step", TABLE_TEXT);
	for (finding = report->found; finding < report->found + report->count; finding++) {
		table_cell(table, str_from(finding->check));
		table_cell(table, str_from(verdicts[finding->verdict].word));
		table_cell(table, str_from(finding->found));
		table_cell(table, str_from(finding->steps));
	}
	return cli_print_table(report->call, table, false);
}

int report_conclude(struct report *report)
{
	int wrong = count_of(report, REPORT_WRONG), warnings;

	log_divert(NULL);
	if (!shown(report)) {
		if (put_table(report) != CLI_DONE)
			return CLI_FAILED;
	} else {
		warnings = count_of(report, REPORT_WARNING);
		printf("\n%d wrong, %d warning%s, %d ok, %d not tried\n", wrong, warnings,
		       warnings == 1 ? "" : "s", count_of(report, REPORT_OK),
		       count_of(report, REPORT_UNTRIED));
		errno = 0; /* an earlier failure's cause is not known here */
		if (fflush(stdout) || ferror(stdout))
			return cli_printed(STATUS_FAILED);
	}
	return wrong ? CLI_FAILED : CLI_DONE;
}
