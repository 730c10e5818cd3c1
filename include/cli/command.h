/*
 * banterctl's commands: a table each room has its own part of (ctl/commands.c joins them). What
 * --help, the completions and the manual say is printed from the table, and what a command is given
 * has been held against it.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdint.h>

#include "base/buf.h"
#include "cli/table.h"
#include "edge/db.h"
#include "wire/config.h"

/* The exit codes. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_WRONG = 2 };

/* What a command takes besides its own options. */
enum {
	CLI_PRINTS = 1, /* --json, --csv */
	CLI_ASKS = 2,	/* --yes */
	CLI_ALONE = 4,	/* nothing, and no settings are loaded */
};

#define CLI_MAX_OPTIONS 12

struct cli_option {
	const char *name; /* "--limit"; NULL ends the list */
	const char *
		value; /* its value's name, NULL: none; checked: "N", "AGE", and words with | between */
	const char *meaning;
};

struct cli_call;

struct cli_command {
	const char *name; /* one word or two: "chatbot create" */
	const char
		*arguments; /* as usage shows them, options left out: "CHATBOT [SETTING=VALUE…]" */
	int least, most;    /* how many arguments; most -1: any number */
	const char *meaning;		  /* one line, no full stop */
	const char *more;		  /* what else help says; NULL: nothing */
	const char *example;		  /* its words behind "banterctl " */
	const struct cli_option *options; /* NULL: none */
	unsigned flags;
	int details; /* of the rows it prints, the last columns are for programs: tables leave them out */
	int (*run)(const struct cli_call *call); /* returns an exit code */
	const char *sql;			 /* for cli_run_table() and cli_run_record() */
};

/* The tables of the rooms, each ended by a NULL name; the list ends with NULL. */
extern const struct cli_command *const ctl_commands[];
/* The command those words name, *used of them; NULL: none. */
const struct cli_command *cli_find(int count, char **words, int *used);

struct cli_call {
	const struct config *config;
	const char *file; /* the settings' (--config); NULL: none */
	const struct cli_command *command;
	int count; /* of arguments; those that were left out are NULL */
	char **arguments;
	const char *values[CLI_MAX_OPTIONS]; /* of the command's own options, in their order */
	bool yes;
	enum table_form form;
};

/* An option's value; NULL: not given; "": given, and takes none. */
const char *cli_value(const struct cli_call *call, const char *option);
/* The value of an option that takes N. */
int64_t cli_number(const struct cli_call *call, const char *option, int64_t fallback);

/* "banterctl: " and the words, on standard error; returns its first argument. */
int cli_say(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A connection for the operator: BANTER_ADMIN_DATABASE_URL, else the application's. CLI_DONE
 * or CLI_FAILED (said).
 */
int cli_connect(const struct cli_call *call, struct db **out);
/* Runs a query, however long it takes. CLI_DONE or CLI_FAILED (said). *out may be NULL. */
int cli_query(struct db *db, const struct db_query *query, struct db_rows **out);
/* Says what to do if a query was refused for the state of the schema or the role; else nothing. */
void cli_explain(const struct cli_call *call);
/* How many columns of rows are shown, and what a table takes one as. */
int cli_columns(const struct cli_call *call, const struct db_rows *rows, bool record);
enum table_type cli_type(const struct db_rows *rows, int column);
/* What became of printing: CLI_DONE or CLI_FAILED (said); errno as table_print() leaves it. */
int cli_printed(enum status status);
/* A table as the call's form wants it, to standard output; frees it. CLI_DONE or CLI_FAILED (said). */
int cli_print_table(const struct cli_call *call, struct table *table, bool record);
/* Rows as the call's form wants them, to standard output; as a record: the one row. */
int cli_print_rows(const struct cli_call *call, const struct db_rows *rows, bool record);

/*
 * The whole of a simple command: its SQL, with the arguments (as many as it may have) and then its
 * options' values as text, NULL where left out; the result as a table, or its one row as a record.
 */
int cli_run_table(const struct cli_call *call);
int cli_run_record(const struct cli_call *call);

/*
 * The arguments from `first` on, NAME=VALUE each, as one JSON object of strings. A value @FILE is
 * that file's text (@-: standard input), for what must not stand in a command line. CLI_DONE, or
 * CLI_WRONG or CLI_FAILED (said). `out` is the caller's to clear.
 */
int cli_changes(const struct cli_call *call, int first, struct buf *out);
/* A file's text ("-": standard input), at most out's cap. CLI_DONE or CLI_FAILED (said). */
int cli_read(const char *path, struct buf *out);

/*
 * Asks a person before what cannot be undone: CLI_DONE (yes, or --yes), CLI_FAILED (no), CLI_WRONG
 * (nobody is there to ask).
 */
int cli_ask(const struct cli_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
