/* A table's inside, for the files of this folder that print it. */
#ifndef CLI_TABLE_INTERNAL_H
#define CLI_TABLE_INTERNAL_H

#include "cli/table.h"

struct table_heading {
	char *name;
	enum table_type type;
};

struct table {
	struct table_heading column[TABLE_COLUMNS];
	size_t columns;
	char **cell; /* row by row; NULL: nothing there */
	size_t cells, room;
	bool failed;
};

static inline size_t table_rows(const struct table *table)
{
	return table->columns ? table->cells / table->columns : 0;
}

static inline const char *table_at(const struct table *table, size_t row, size_t column)
{
	return table->cell[row * table->columns + column];
}

#endif
