/*
 * An operator's program is a table of commands: what --help, the completions and the manual say is
 * printed from it, and what a command is given has been held against it.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

#include "cli/table.h"
#include "ops/ops.h"
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
	const char *example;		  /* its words behind the program's name */
	const struct cli_option *options; /* NULL: none */
	unsigned flags;
	int details; /* of the rows it prints, the last columns are for programs: tables leave them out */
	int (*run)(const struct cli_call *call); /* returns an exit code */
	ops_rows_fn rows; /* of the first argument: for cli_run_table() and cli_run_record() */
};

struct cli_program {
	const char *name;
	/* Tables of commands, each ended by a NULL name, as help parts them; the list ends with NULL. */
	const struct cli_command *const *groups;
	/* Says what to do where the server refused a statement for reasons of its own; may say nothing. */
	void (*explain)(const struct cli_call *call);
};

struct cli_call {
	const struct cli_program *program;
	const struct config *config;
	const char *file; /* the settings' (--config); NULL: none */
	const struct cli_command *command;
	int count; /* of arguments; those that were left out are NULL */
	char **arguments;
	const char *values[CLI_MAX_OPTIONS]; /* of the command's own options, in their order */
	bool yes;
	enum table_form form;
	bool *refused; /* set: the server refused a statement, program->explain() may know why */
};

/* The command those words name, *used of them; NULL: none. */
const struct cli_command *command_find(const struct cli_program *program, int count, char **words,
				       int *used);

#endif
