/* What is known of the terminal, if there is one, and words in its lines. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

struct terminal {
	int width;    /* in columns; 0: no terminal, nothing has to fit */
	int height;   /* in lines; 0: no terminal, or it does not say */
	bool colours; /* a terminal, and NO_COLOR (no-color.org) is not set */
	bool utf8;    /* as the locale says */
};

struct terminal terminal_of(FILE *file);

/*
 * Words in lines of at most `width` columns (0: one line), of which `used` are taken; further lines
 * begin at `left`. Ends the last one.
 */
void terminal_put_words(struct str text, int used, int left, int width, FILE *out);

#endif
