/* What is known of the terminal, if there is one, and what moves on it. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

struct terminal {
	int width;    /* in columns; 0: no terminal, nothing has to fit */
	bool colours; /* a terminal, and NO_COLOR (no-color.org) is not set */
	bool utf8;    /* as the locale says */
};

struct terminal terminal_of(FILE *file);

/*
 * Words in lines of at most `width` columns (0: one line), of which `used` are taken; further lines
 * begin at `left`. Ends the last one.
 */
void terminal_put_words(struct str text, int used, int left, int width, FILE *out);

/*
 * Long work on standard error, where that is a terminal: "deleting: 1200 of 5000". `total` 0: not
 * known. It is drawn over itself, at most some times a second.
 */
void progress_show(const char *what, int64_t done, int64_t total);
/* Removes it. */
void progress_end(void);

/*
 * From here on SIGINT and SIGTERM only set a flag, so that long work can stop between two steps; a
 * second one ends the program.
 */
void interrupt_catch(void);
bool interrupt_came(void);

#endif
