/* The repository's sql/ folder, inside the program (made by app/ctl/embed-sql). */
#ifndef CTL_SQL_H
#define CTL_SQL_H

#include <stddef.h>

struct sql_file {
	const char *name; /* such as "app/exchange_begin.sql" */
	const char *text;
};

/* In the order they are applied; ends with a NULL name. */
extern const struct sql_file sql_files[];

#endif
