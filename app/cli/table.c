/* Rows and columns: keeping them, and the forms for programs.  For people: table_people.c. */
#include "cli/table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cli/table_internal.h"
#include "cli/table_people.h"
#include "wire/frame.h"

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
	struct table_heading *column = &table->column[table->columns];

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

static void put_json_cell(const struct table_heading *column, const char *text, struct frame *row)
{
	if (!text)
		frame_raw(row, column->name, STR("null"));
	else if (column->type == TABLE_BOOLEAN)
		frame_boolean(row, column->name, *text == 't');
	else if (column->type == TABLE_NUMBER || column->type == TABLE_VALUE)
		frame_raw(row, column->name, str_from(text));
	else
		frame_string(row, column->name, str_from(text));
}

/* A row is a line, so that an array can be read by eye and by line. */
static void put_json_row(const struct table *table, size_t row, struct buf *out)
{
	struct frame frame;
	size_t i;

	frame_begin(&frame, out, FRAME_JSON);
	for (i = 0; i < table->columns; i++)
		put_json_cell(&table->column[i], table_at(table, row, i), &frame);
	frame_end(&frame);
}

static void put_json_array(const struct table *table, struct buf *out)
{
	size_t rows = table_rows(table), row;

	buf_putc(out, '[');
	for (row = 0; row < rows; row++) {
		buf_puts(out, row ? ",\n" : "\n");
		put_json_row(table, row, out);
	}
	buf_puts(out, rows ? "\n]\n" : "]\n");
}

static void put_json_lines(const struct table *table, struct buf *out)
{
	size_t row;

	for (row = 0; row < table_rows(table); row++) {
		put_json_row(table, row, out);
		buf_putc(out, '\n');
	}
}

static void put_json_record(const struct table *table, struct buf *out)
{
	if (table_rows(table))
		put_json_row(table, 0, out);
	else
		buf_puts(out, "null");
	buf_putc(out, '\n');
}

/* All of it, or nothing. */
static enum status print_json(const struct table *table,
			      void (*put)(const struct table *, struct buf *), FILE *out)
{
	enum status status;
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	put(table, &text);
	status = buf_check(&text);
	if (status == STATUS_OK)
		fwrite(buf_text(&text), 1, text.len, out);
	buf_clear(&text);
	return status;
}

/* A terminal is for people, whatever the form: no cell steers it. */
static void put_csv_field(struct str text, bool person, FILE *out)
{
	bool quoted = !text.n;
	size_t i, n;

	for (i = 0; i < text.n; i++)
		quoted = quoted || strchr(",\"\r\n", text.p[i]);
	fputs(quoted ? "\"" : "", out);
	for (; text.n; text = str_skip(text, n)) {
		n = 1;
		if (*text.p == '"')
			putc('"', out);
		if (person)
			n = table_put_character(text, out);
		else
			putc(*text.p, out);
	}
	fputs(quoted ? "\"" : "", out);
}

static void print_csv(const struct table *table, bool head, const struct terminal *terminal,
		      FILE *out)
{
	size_t rows = table_rows(table), row, i;
	bool person = terminal->width > 0;
	const char *text;

	for (i = 0; i < table->columns && head; i++) {
		fputs(i ? "," : "", out);
		put_csv_field(str_from(table->column[i].name), person, out);
	}
	fputs(head ? "\r\n" : "", out);
	for (row = 0; row < rows; row++) {
		for (i = 0; i < table->columns; i++) {
			text = table_at(table, row, i);
			if (text && table->column[i].type == TABLE_BOOLEAN)
				text = *text == 't' ? "true" : "false";
			fputs(i ? "," : "", out);
			if (text)
				put_csv_field(str_from(text), person, out);
		}
		fputs("\r\n", out);
	}
}

enum status table_print(const struct table *table, enum table_form form, bool record,
			const struct terminal *terminal, FILE *out)
{
	struct table_so_far so_far = { 0 };
	enum status status = STATUS_OK;

	if (table->failed)
		return STATUS_NOMEM;
	errno = 0; /* that of the first failure stays */
	if (form == TABLE_JSON)
		status = print_json(table, record ? put_json_record : put_json_array, out);
	else if (form == TABLE_CSV)
		print_csv(table, true, terminal, out);
	else if (record)
		table_print_record(table, terminal, out);
	else
		table_print_rows(table, &so_far, terminal, out);
	if (status == STATUS_OK && (fflush(out) || ferror(out)))
		status = STATUS_FAILED;
	return status;
}

enum status table_print_more(const struct table *table, enum table_form form,
			     struct table_so_far *so_far, const struct terminal *terminal,
			     FILE *out)
{
	enum status status = STATUS_OK;

	if (table->failed)
		return STATUS_NOMEM;
	errno = 0; /* that of the first failure stays */
	if (form == TABLE_JSON)
		status = print_json(table, put_json_lines, out);
	else if (form == TABLE_CSV)
		print_csv(table, !so_far->begun, terminal, out);
	else
		table_print_rows(table, so_far, terminal, out);
	so_far->begun = true;
	if (status == STATUS_OK && (fflush(out) || ferror(out)))
		status = STATUS_FAILED;
	return status;
}
