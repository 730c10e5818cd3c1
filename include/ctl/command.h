/*
 * banterctl's commands: a table each room has its own part of (ctl/commands.c joins them). What
 * --help, the completions and the manual say is printed from the table, and what a command is given
 * has been held against it.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdint.h>

#include "base/buf.h"
#include "ctl/table.h"
#include "edge/db.h"
#include "wire/config.h"

/* The exit codes. */
enum { CTL_DONE = 0, CTL_FAILED = 1, CTL_WRONG = 2 };

/* What a command takes besides its own options. */
enum {
	CTL_PRINTS = 1, /* --json, --csv */
	CTL_ASKS = 2,	/* --yes */
	CTL_ALONE = 4,	/* nothing, and no settings are loaded */
};

#define CTL_MAX_OPTIONS 12

struct ctl_option {
	const char *name; /* "--limit"; NULL ends the list */
	const char *
		value; /* its value's name, NULL: none; checked: "N", "AGE", and words with | between */
	const char *meaning;
};

struct ctl_call;

struct ctl_command {
	const char *name; /* one word or two: "chatbot create" */
	const char
		*arguments; /* as usage shows them, options left out: "CHATBOT [SETTING=VALUE…]" */
	int least, most;    /* how many arguments; most -1: any number */
	const char *meaning;		  /* one line, no full stop */
	const char *more;		  /* what else help says; NULL: nothing */
	const char *example;		  /* its words behind "banterctl " */
	const struct ctl_option *options; /* NULL: none */
	unsigned flags;
	int details; /* of the rows it prints, the last columns are for programs: tables leave them out */
	int (*run)(const struct ctl_call *call); /* returns an exit code */
	const char *sql;			 /* for ctl_run_table() and ctl_run_record() */
};

/* The tables of the rooms, each ended by a NULL name; the list ends with NULL. */
extern const struct ctl_command *const ctl_commands[];
/* The command those words name, *used of them; NULL: none. */
const struct ctl_command *ctl_find(int count, char **words, int *used);

struct ctl_call {
	const struct config *config;
	const char *file; /* the settings' (--config); NULL: none */
	const struct ctl_command *command;
	int count; /* of arguments; those that were left out are NULL */
	char **arguments;
	const char *values[CTL_MAX_OPTIONS]; /* of the command's own options, in their order */
	bool yes;
	enum table_form form;
};

/* An option's value; NULL: not given; "": given, and takes none. */
const char *ctl_value(const struct ctl_call *call, const char *option);
/* The value of an option that takes N. */
int64_t ctl_number(const struct ctl_call *call, const char *option, int64_t fallback);

/* "banterctl: " and the words, on standard error; returns its first argument. */
int ctl_say(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A connection for the operator: BANTER_ADMIN_DATABASE_URL, else the application's. CTL_DONE
 * or CTL_FAILED (said).
 */
int ctl_connect(const struct ctl_call *call, struct db **out);
/* Runs a query, however long it takes. CTL_DONE or CTL_FAILED (said). *out may be NULL. */
int ctl_query(struct db *db, const struct db_query *query, struct db_rows **out);
/* Says what to do if a query was refused for the state of the schema or the role; else nothing. */
void ctl_explain(const struct ctl_call *call);
/* How many columns of rows are shown, and what a table takes one as. */
int ctl_columns(const struct ctl_call *call, const struct db_rows *rows, bool record);
enum table_type ctl_type(const struct db_rows *rows, int column);
/* What became of printing: CTL_DONE or CTL_FAILED (said); errno as table_print() leaves it. */
int ctl_printed(enum status status);
/* A table as the call's form wants it, to standard output; frees it. CTL_DONE or CTL_FAILED (said). */
int ctl_print_table(const struct ctl_call *call, struct table *table, bool record);
/* Rows as the call's form wants them, to standard output; as a record: the one row. */
int ctl_print_rows(const struct ctl_call *call, const struct db_rows *rows, bool record);

/*
 * The whole of a simple command: its SQL, with the arguments (as many as it may have) and then its
 * options' values as text, NULL where left out; the result as a table, or its one row as a record.
 */
int ctl_run_table(const struct ctl_call *call);
int ctl_run_record(const struct ctl_call *call);

/*
 * The arguments from `first` on, NAME=VALUE each, as one JSON object of strings. A value @FILE is
 * that file's text (@-: standard input), for what must not stand in a command line. CTL_DONE, or
 * CTL_WRONG or CTL_FAILED (said). `out` is the caller's to clear.
 */
int ctl_changes(const struct ctl_call *call, int first, struct buf *out);
/* A file's text ("-": standard input), at most out's cap. CTL_DONE or CTL_FAILED (said). */
int ctl_read(const char *path, struct buf *out);

/*
 * Asks a person before what cannot be undone: CTL_DONE (yes, or --yes), CTL_FAILED (no), CTL_WRONG
 * (nobody is there to ask).
 */
int ctl_ask(const struct ctl_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
