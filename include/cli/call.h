/* What a command was called with, and how it speaks with the person who called it. */
#ifndef CLI_CALL_H
#define CLI_CALL_H

#include <stdint.h>

#include "base/buf.h"
#include "cli/command.h"

/* An option's value; NULL: not given; "": given, and takes none. */
const char *cli_value(const struct cli_call *call, const char *option);
/* The value of an option that takes N. */
int64_t cli_number(const struct cli_call *call, const char *option, int64_t fallback);

/* The program's name and the words, on standard error; returns its first argument. */
int cli_say(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

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
