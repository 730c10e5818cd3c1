/*
 * Tables as people read them: columns side by side, numbers to the right, no wider than the
 * terminal.  What is in a cell may be anybody's words: control characters, which could steer the
 * terminal, are shown as a question mark, and each character takes the columns wcwidth() says.
 */
#include "cli/table_people.h"

#include <stdlib.h>
#include <wchar.h>

#include "base/log.h"
#include "cli/table_internal.h"

#define GAP 2
#define NARROWEST 8 /* no column is cut below this */

/* The first character of `text`: its bytes, and in *wide its columns; what cannot be shown is 1 wide. */
static size_t character(struct str text, int *wide, bool *shown)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, text.p, text.n < MB_CUR_MAX ? text.n : MB_CUR_MAX, &state);

	*wide = n == 0 || n > MB_CUR_MAX || log_steers((uint32_t)c) ? -1 : wcwidth(c);
	*shown = *wide >= 0;
	if (*shown)
		return n;
	*wide = 1;
	return n == 0 || n > MB_CUR_MAX ? 1 : n;
}

static void put_character(const char *text, size_t n, bool shown, FILE *out)
{
	if (shown)
		fwrite(text, 1, n, out);
	else
		putc(*text == '\t' ? ' ' : '?', out);
}

static struct str cell_text(const struct table *table, size_t row, size_t column)
{
	const char *text = table_at(table, row, column);

	if (!text)
		return STR("-");
	if (table->column[column].type == TABLE_BOOLEAN)
		return *text == 't' ? STR("yes") : STR("no");
	return str_from(text);
}

static int width_of(struct str text)
{
	int wide, width = 0;
	bool shown;

	while (text.n) {
		text = str_skip(text, character(text, &wide, &shown));
		width += wide;
	}
	return width;
}

/* The text in at most `width` columns (0: all of it); returns how many it took. */
static int put_text(struct str text, int width, const struct terminal *terminal, FILE *out)
{
	const char *cut = terminal->utf8 ? "…" : ">";
	bool whole = !width || width_of(text) <= width, shown;
	int wide, used = 0;
	size_t n;

	while (text.n) {
		n = character(text, &wide, &shown);
		if (!whole && used + wide > width - 1)
			break;
		put_character(text.p, n, shown, out);
		used += wide;
		text = str_skip(text, n);
	}
	if (whole)
		return used;
	fputs(cut, out);
	return used + 1;
}

/* People see a name's underscores as blanks. */
static void put_heading(struct str name, const struct terminal *terminal, FILE *out)
{
	bool bold = terminal->colours && name.n;
	size_t i;

	fputs(bold ? "\033[1m" : "", out);
	for (i = 0; i < name.n; i++)
		putc(name.p[i] == '_' ? ' ' : name.p[i], out);
	fputs(bold ? "\033[0m" : "", out);
}

static void put_blanks(int count, FILE *out)
{
	if (count > 0)
		fprintf(out, "%*s", count, "");
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n >= k && strcmp(name + n - k, end) == 0;
}

/* Half a number, time, day or id says something else, or nothing. */
static bool may_be_cut(const struct table_heading *column)
{
	return column->type != TABLE_NUMBER && !ends_in(column->name, "_at") &&
	       !ends_in(column->name, "_id") && strcmp(column->name, "day") != 0;
}

/* A heading's words may stand one above the other. */
static int heading_width(const char *name)
{
	size_t widest = 0, n;

	for (; *name; name += n + (name[n] == '_')) {
		n = strcspn(name, "_");
		widest = n > widest ? n : widest;
	}
	return (int)widest;
}

static int total_width(const int *widths, size_t columns)
{
	int total = -GAP;

	while (columns)
		total += widths[--columns] + GAP;
	return total;
}

/*
 * Takes columns off the widest text until the table fits, or all are narrow. Returns how many columns
 * are shown: where even that is too wide, the last ones are left out.
 */
static size_t narrow(const struct table *table, int *widths, int most)
{
	size_t shown = table->columns, i, widest;

	while (most && total_width(widths, shown) > most) {
		widest = shown;
		for (i = 0; i < shown; i++)
			if (may_be_cut(&table->column[i]) && widths[i] > NARROWEST &&
			    widths[i] > heading_width(table->column[i].name) &&
			    (widest == shown || widths[i] > widths[widest]))
				widest = i;
		if (widest < shown)
			widths[widest]--;
		else if (shown > 1)
			shown--;
		else
			break;
	}
	return shown;
}

static void put_row(const struct table *table, size_t row, size_t columns, const int *widths,
		    const struct terminal *terminal, FILE *out)
{
	struct str text;
	bool right;
	size_t i;
	int used;

	for (i = 0; i < columns; i++) {
		text = cell_text(table, row, i);
		right = table->column[i].type == TABLE_NUMBER;
		used = width_of(text);
		if (right)
			put_blanks(widths[i] - used, out);
		used = put_text(text, widths[i], terminal, out);
		if (i + 1 < columns)
			put_blanks((right ? 0 : widths[i] - used) + GAP, out);
	}
	putc('\n', out);
}

/* Takes as many words off the front of a name as fit, one at least. */
static struct str heading_line(struct str *rest, int width)
{
	struct str line = { rest->p, 0 }, word;

	while (rest->n) {
		word = (struct str){ rest->p, rest->n };
		word = str_cut(&word, STR("_"));
		if (line.n && (int)(line.n + 1 + word.n) > width)
			break;
		line.n = (size_t)(word.p + word.n - line.p);
		*rest = str_skip(*rest, word.n < rest->n ? word.n + 1 : word.n);
	}
	return line;
}

/* That line of a heading, counted from the last one; empty above the first. */
static struct str heading_at(const char *name, int width, size_t from_last)
{
	struct str rest = str_from(name), line = STR_NONE;
	size_t lines = 0, i;

	while (rest.n) {
		heading_line(&rest, width);
		lines++;
	}
	rest = str_from(name);
	for (i = 0; from_last < lines && i < lines - from_last; i++)
		line = heading_line(&rest, width);
	return line;
}

static void put_head_line(const struct table *table, size_t columns, const int *widths,
			  size_t from_last, const struct terminal *terminal, FILE *out)
{
	int left, blanks = 0; /* they wait: none stand at the end of a line */
	struct str text;
	bool right;
	size_t i;

	for (i = 0; i < columns; i++) {
		text = heading_at(table->column[i].name, widths[i], from_last);
		right = table->column[i].type == TABLE_NUMBER;
		left = widths[i] - (int)text.n;
		blanks += right ? left : 0;
		if (text.n) {
			put_blanks(blanks, out);
			put_heading(text, terminal, out);
			blanks = 0;
		}
		blanks += (right ? 0 : left) + GAP;
	}
	putc('\n', out);
}

/* Headings stand on their last line. */
static void put_head(const struct table *table, size_t columns, const int *widths,
		     const struct terminal *terminal, FILE *out)
{
	size_t lines = 1, i;

	for (i = 0; i < columns; i++)
		while (heading_at(table->column[i].name, widths[i], lines).n)
			lines++;
	while (lines--)
		put_head_line(table, columns, widths, lines, terminal, out);
}

void table_print_rows(const struct table *table, struct table_so_far *so_far,
		      const struct terminal *terminal, FILE *out)
{
	size_t rows = table_rows(table), columns, row, i;
	int *widths = so_far->widths, wide;

	for (i = 0; i < table->columns; i++) {
		wide = heading_width(table->column[i].name);
		widths[i] = wide > widths[i] ? wide : widths[i];
		for (row = 0; row < rows; row++) {
			wide = width_of(cell_text(table, row, i));
			widths[i] = wide > widths[i] ? wide : widths[i];
		}
	}
	columns = narrow(table, widths, terminal->width);
	if (!so_far->begun)
		put_head(table, columns, widths, terminal, out);
	for (row = 0; row < rows; row++)
		put_row(table, row, columns, widths, terminal, out);
}

size_t table_put_character(struct str text, FILE *out)
{
	bool shown;
	int wide;
	size_t n = character(text, &wide, &shown);

	put_character(text.p, n, shown || *text.p == '\n', out);
	return n;
}

void table_print_text(struct str text, FILE *out)
{
	while (text.n)
		text = str_skip(text, table_put_character(text, out));
}

/* A value's own line breaks stay: its further lines stand under the first. */
static void put_lines(struct str text, int left, const struct terminal *terminal, FILE *out)
{
	struct str line;

	while (memchr(text.p, '\n', text.n)) {
		line = str_cut(&text, STR("\n"));
		put_text(line, 0, terminal, out);
		putc('\n', out);
		put_blanks(left, out);
	}
	put_text(text, 0, terminal, out);
	putc('\n', out);
}

void table_print_record(const struct table *table, const struct terminal *terminal, FILE *out)
{
	int left = 0, wide;
	size_t i;

	for (i = 0; i < table->columns; i++) {
		wide = width_of(str_from(table->column[i].name)) + GAP;
		left = wide > left ? wide : left;
	}
	for (i = 0; i < table->columns && table_rows(table); i++) {
		put_heading(str_from(table->column[i].name), terminal, out);
		put_blanks(left - width_of(str_from(table->column[i].name)), out);
		put_lines(cell_text(table, 0, i), left, terminal, out);
	}
}

void table_put_text(struct str text, int width, const struct terminal *terminal, FILE *out)
{
	put_blanks(width - put_text(text, width, terminal, out), out);
}
