/* Text and tables as a person sees them: no control character steers the terminal. */
#ifndef CLI_TABLE_PEOPLE_H
#define CLI_TABLE_PEOPLE_H

#include <stdio.h>

#include "cli/table.h"

/* Rows under a heading, unless that was said before. */
void table_print_rows(const struct table *table, struct table_so_far *so_far,
		      const struct terminal *terminal, FILE *out);
/* The first row, a line a column. */
void table_print_record(const struct table *table, const struct terminal *terminal, FILE *out);
/* The first character of `text`, as a person may see it, a line end as it is; returns its bytes. */
size_t table_put_character(struct str text, FILE *out);

/* Text in exactly that many columns: cut, or blanks behind it. */
void table_put_text(struct str text, int width, const struct terminal *terminal, FILE *out);
/* Anybody's text: its lines as they are, its control characters as in a table. */
void table_print_text(struct str text, FILE *out);

#endif
