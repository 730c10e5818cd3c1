/* Rows and columns: keeping them, and the forms for programs.  For people: table_people.c. */
#include "ctl/table.h"

#include <errno.h>
#include <stdlib.h>

#include "ctl/table_parts.h"

enum status table_new(struct table **out)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return STATUS_NOMEM;
	*out = table;
	return STATUS_OK;
}

void table_free(struct table *table)
{
	size_t i;

	if (!table)
		return;
	for (i = 0; i < table->cells; i++)
		free(table->cell[i]);
	free(table->cell);
	for (i = 0; i < table->columns; i++)
		free(table->column[i].name);
	free(table);
}

void table_column(struct table *table, const char *name, enum table_type type)
{
	struct table_column *column = &table->column[table->columns];

	if (table->columns == TABLE_COLUMNS) {
		table->failed = true;
		return;
	}
	column->type = type;
	column->name = strdup(name);
	table->failed = table->failed || !column->name;
	table->columns += column->name != NULL;
}

void table_cell(struct table *table, struct str value)
{
	size_t room = table->room ? table->room * 2 : 64;
	char **grown;

	if (table->failed)
		return;
	if (table->cells == table->room) {
		grown = reallocarray(table->cell, room, sizeof(*grown));
		table->failed = !grown;
		if (!grown)
			return;
		table->cell = grown;
		table->room = room;
	}
	/* Text of the database: it holds no NUL. */
	table->cell[table->cells] = value.p ? strndup(value.p, value.n) : NULL;
	table->failed = value.p && !table->cell[table->cells];
	table->cells += !table->failed;
}

static void put_json_string(const char *text, FILE *out)
{
	putc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void put_json_cell(const struct table_column *column, const char *text, FILE *out)
{
	if (!text)
		fputs("null", out);
	else if (column->type == TABLE_BOOLEAN)
		fputs(*text == 't' ? "true" : "false", out);
	else if (column->type == TABLE_NUMBER || column->type == TABLE_VALUE)
		fputs(text, out);
	else
		put_json_string(text, out);
}

/* A row is a line, so that an array can be read by eye and by line. */
static void put_json_row(const struct table *table, size_t row, FILE *out)
{
	size_t i;

	for (i = 0; i < table->columns; i++) {
		fputs(i ? "," : "{", out);
		put_json_string(table->column[i].name, out);
		putc(':', out);
		put_json_cell(&table->column[i], table_at(table, row, i), out);
	}
	putc('}', out);
}

static void print_json(const struct table *table, bool record, FILE *out)
{
	size_t rows = table_rows(table), row;

	if (record) {
		if (rows)
			put_json_row(table, 0, out);
		else
			fputs("null", out);
		putc('\n', out);
		return;
	}
	putc('[', out);
	for (row = 0; row < rows; row++) {
		fputs(row ? ",\n" : "\n", out);
		put_json_row(table, row, out);
	}
	fputs(rows ? "\n]\n" : "]\n", out);
}

static void put_csv_field(const char *text, FILE *out)
{
	if (!text)
		return;
	if (!text[strcspn(text, ",\"\r\n")] && *text) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void print_csv(const struct table *table, bool head, FILE *out)
{
	size_t rows = table_rows(table), row, i;
	const char *text;

	for (i = 0; i < table->columns && head; i++) {
		fputs(i ? "," : "", out);
		put_csv_field(table->column[i].name, out);
	}
	fputs(head ? "\r\n" : "", out);
	for (row = 0; row < rows; row++) {
		for (i = 0; i < table->columns; i++) {
			text = table_at(table, row, i);
			if (text && table->column[i].type == TABLE_BOOLEAN)
				text = *text == 't' ? "true" : "false";
			fputs(i ? "," : "", out);
			put_csv_field(text, out);
		}
		fputs("\r\n", out);
	}
}

enum status table_print(const struct table *table, enum table_form form, bool record,
			const struct terminal *terminal, FILE *out)
{
	struct table_so_far so_far = { 0 };

	if (table->failed)
		return STATUS_NOMEM;
	if (form == TABLE_JSON)
		print_json(table, record, out);
	else if (form == TABLE_CSV)
		print_csv(table, true, out);
	else if (record)
		table_print_record(table, terminal, out);
	else
		table_print_rows(table, &so_far, terminal, out);
	return fflush(out) || ferror(out) ? STATUS_FAILED : STATUS_OK;
}

enum status table_print_more(const struct table *table, enum table_form form,
			     struct table_so_far *so_far, const struct terminal *terminal,
			     FILE *out)
{
	size_t row;

	if (table->failed)
		return STATUS_NOMEM;
	for (row = 0; form == TABLE_JSON && row < table_rows(table); row++) {
		put_json_row(table, row, out);
		putc('\n', out);
	}
	if (form == TABLE_CSV)
		print_csv(table, !so_far->begun, out);
	else if (form == TABLE_PEOPLE)
		table_print_rows(table, so_far, terminal, out);
	so_far->begun = true;
	return fflush(out) || ferror(out) ? STATUS_FAILED : STATUS_OK;
}
