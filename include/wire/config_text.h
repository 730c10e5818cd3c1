/* The settings as text: a file's lines, and --help. The table is wire/config_table's. */
#ifndef WIRE_CONFIG_TEXT_H
#define WIRE_CONFIG_TEXT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/*
 * A file's text: NAME=value lines; blank lines and lines that begin with # are skipped; white space
 * around name and value is dropped; a value in double or single quotes loses them. Calls `set` for
 * each, which also knows what NAME_FILE means; stops at the first error: `why` then begins with
 * "line N: ".
 */
typedef enum status (*config_line_fn)(void *context, struct str name, struct str value,
				      struct buf *why);
enum status config_lines(struct str text, config_line_fn set, void *context,
			 struct buf *why) MUST_CHECK;

/* The settings as --help prints them. */
void config_help(FILE *out);

#endif
