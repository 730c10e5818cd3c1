/* The settings as text: a file's lines, and --help. The table is wire/config_table's. */
#ifndef WIRE_CONFIG_TEXT_H
#define WIRE_CONFIG_TEXT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/*
 * A file's text: NAME=value lines; blank lines and lines that begin with # are skipped; white space
 * around name and value is dropped, and so is `export` before a name; a value in double or single
 * quotes loses them. Calls `set` for each, which also knows what NAME_FILE means; stops at the
 * first error: `why` then begins with "line N: ".
 */
typedef enum status (*config_line_fn)(void *context, struct str name, struct str value,
				      struct buf *why);
enum status config_lines(struct str text, config_line_fn set, void *context,
			 struct buf *why) MUST_CHECK;
/*
 * The same of a file that has lines [NAME] too: for each of them `section` is called with what
 * stands between the brackets, without white space around it. `why` then names the section as well,
 * once it has been taken: "line N: [NAME] ".
 */
typedef enum status (*config_section_fn)(void *context, struct str name, struct buf *why);
enum status config_sections(struct str text, config_section_fn section, config_line_fn set,
			    void *context, struct buf *why) MUST_CHECK;

/* The settings as --help prints them. */
void config_help(FILE *out);

#endif
