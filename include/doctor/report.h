/*
 * What doctor says: findings, each with what to do next.  People see one as soon as it is known; programs
 * get one table at the end.
 */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include "base/buf.h"
#include "cli/command.h"

enum report_verdict {
	REPORT_OK,
	REPORT_WARNING,
	REPORT_WRONG,
	REPORT_UNTRIED, /* since something before it is wrong, or nobody asked for it */
};

struct report_finding {
	enum report_verdict verdict;
	const char *check;
	char *found, *steps; /* steps: lines, NULL: none */
};

#define REPORT_FINDINGS 160

struct report {
	const struct cli_call *call;
	struct terminal terminal;
	struct report_finding found[REPORT_FINDINGS];
	int count;
	struct buf heard; /* what was logged since report_listen() */
};

/* From here on the log is heard, and goes nowhere else, until report_conclude() or report_clear(). */
void report_init(struct report *report, const struct cli_call *call);
void report_clear(struct report *report);

/* A finding; the steps said behind it are its. `check` is a constant. */
void report_find(struct report *report, enum report_verdict verdict, const char *check,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What to do about it: a command or a setting, a line of its own. */
void report_step(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Forgets what was logged so far. */
void report_listen(struct report *report);
/* The last thing logged since then. */
struct str report_heard(const struct report *report);

/* What it comes to: the exit code; the table, or for people the counts, to standard output. */
int report_conclude(struct report *report);

#endif
