/* cli/table: its three forms. */
#include "unit.h"

#include <errno.h>
#include <locale.h>

#include "cli/table.h"
#include "cli/table_people.h"

static const struct terminal pipe_end = { .utf8 = true };

/* Columns, then cells until `end`; NULL: nothing there. */
static const char end[] = "";
#define TABLE(columns, ...) table_of(columns, (const char *[]){ __VA_ARGS__, end })

struct column {
	const char *name;
	enum table_type type;
};

static struct table *table_of(const struct column *columns, const char *const *cells)
{
	struct table *table = NULL;

	assert_int_equal(table_new(&table), STATUS_OK);
	for (; columns->name; columns++)
		table_column(table, columns->name, columns->type);
	for (; *cells != end; cells++)
		table_cell(table, str_from(*cells));
	return table;
}

/* Frees the table. */
static void must_print(struct table *table, enum table_form form, bool record,
		       const struct terminal *terminal, const char *wanted)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	assert_int_equal(table_print(table, form, record, terminal, out), STATUS_OK);
	fclose(out);
	assert_string_equal(text, wanted);
	free(text);
	table_free(table);
}

static const struct column mixed[] = { { "thing_id", TABLE_TEXT },
				       { "count", TABLE_NUMBER },
				       { "on", TABLE_BOOLEAN },
				       { "more", TABLE_VALUE },
				       { .name = NULL } };

static struct table *mixed_table(void)
{
	return TABLE(mixed, "a", "7", "t", "[1,{}]", NULL, NULL, NULL, NULL, "b\"\\\n\t\x1b\x7f ü",
		     "-1.5", "f", "null");
}

static void json(void **state)
{
	(void)state;
	must_print(mixed_table(), TABLE_JSON, false, &pipe_end,
		   "[\n{\"thing_id\":\"a\",\"count\":7,\"on\":true,\"more\":[1,{}]},\n"
		   "{\"thing_id\":null,\"count\":null,\"on\":null,\"more\":null},\n"
		   "{\"thing_id\":\"b\\\"\\\\\\n\\t\\u001b\\u007f ü\",\"count\":-1.5,\"on\":false,"
		   "\"more\":null}\n]\n");
	must_print(mixed_table(), TABLE_JSON, true, &pipe_end,
		   "{\"thing_id\":\"a\",\"count\":7,\"on\":true,\"more\":[1,{}]}\n");
	must_print(TABLE(mixed, end), TABLE_JSON, false, &pipe_end, "[]\n");
	must_print(TABLE(mixed, end), TABLE_JSON, true, &pipe_end, "null\n");
}

static void csv(void **state)
{
	static const struct column two[] = { { "a", TABLE_TEXT },
					     { "b", TABLE_TEXT },
					     { .name = NULL } };
	char empty[] = ""; /* `end` is another */

	(void)state;
	must_print(mixed_table(), TABLE_CSV, false, &pipe_end,
		   "thing_id,count,on,more\r\na,7,true,\"[1,{}]\"\r\n,,,\r\n"
		   "\"b\"\"\\\n\t\x1b\x7f ü\",-1.5,false,null\r\n");
	/* What is empty and what is not there can be told apart. */
	must_print(TABLE(two, "x,y", "x\"y", "x\ry", "x\ny", empty, NULL), TABLE_CSV, true,
		   &pipe_end, "a,b\r\n\"x,y\",\"x\"\"y\"\r\n\"x\ry\",\"x\ny\"\r\n\"\",\r\n");
	must_print(TABLE(two, end), TABLE_CSV, false, &pipe_end, "a,b\r\n");
}

/* A program gets the bytes, a terminal what it does not obey. */
static void csv_steers_no_terminal(void **state)
{
	static const struct column two[] = { { "a", TABLE_TEXT },
					     { "b", TABLE_TEXT },
					     { .name = NULL } };
	const struct terminal terminal = { .width = 10, .utf8 = true };

	(void)state;
	must_print(TABLE(two, "\x1b[2J", "\u202e\"\n\r\xff\xc2\x9b é"), TABLE_CSV, false, &pipe_end,
		   "a,b\r\n\x1b[2J,\"\u202e\"\"\n\r\xff\xc2\x9b é\"\r\n");
	must_print(TABLE(two, "\x1b[2J", "\u202e\"\n\r\xff\xc2\x9b é"), TABLE_CSV, false, &terminal,
		   "a,b\r\n?[2J,\"?\"\"\n??? é\"\r\n");
}

static void people(void **state)
{
	(void)state;
	must_print(mixed_table(), TABLE_PEOPLE, false, &pipe_end,
		   "thing id   count  on   more\n"
		   "a              7  yes  [1,{}]\n"
		   "-              -  -    -\n"
		   "b\"\\? ?? ü   -1.5  no   null\n");
	must_print(mixed_table(), TABLE_PEOPLE, true, &pipe_end,
		   "thing id  a\ncount     7\non        yes\nmore      [1,{}]\n");
	must_print(TABLE(mixed, end), TABLE_PEOPLE, true, &pipe_end, "");
}

static void a_records_lines_stay(void **state)
{
	static const struct column one[] = { { "n", TABLE_NUMBER },
					     { "text", TABLE_TEXT },
					     { .name = NULL } };

	(void)state;
	must_print(TABLE(one, "1", "first\nsecond\x1b[2J\n\nlast"), TABLE_PEOPLE, true, &pipe_end,
		   "n     1\ntext  first\n      second?[2J\n      \n      last\n");
}

/* Wide characters take two columns, combining ones none; what is no UTF-8 is shown byte by byte,
 * and what would turn the order of a line around not at all. */
static void widths(void **state)
{
	static const struct column two[] = { { "a", TABLE_TEXT },
					     { "b", TABLE_TEXT },
					     { .name = NULL } };

	(void)state;
	must_print(TABLE(two, "日本", "x", "e\u0301e\u0301", "x", "\xff\xfe", "x",
			 "\xc2\x9b"
			 "1m",
			 "x", "a\u202e\u2066\u200f", "x", "abcd", "x"),
		   TABLE_PEOPLE, false, &pipe_end,
		   "a     b\n日本  x\ne\u0301e\u0301    x\n??    x\n?1m   x\na???  x\nabcd  x\n");
}

/* A part of a longer text: nothing behind it counts. */
static void exactly_that_wide(void **state)
{
	static const struct {
		struct str text;
		const char *wanted;
	} cases[] = {
		{ { "日本日本", 6 }, "日本  " }, { { "日本日本", 12 }, "日本… " },
		{ { "日本日本", 5 }, "日??  " }, { STR_NONE, "      " },
		{ STR("abcdef"), "abcdef" },	 { STR("\x1b[2Jabc"), "?[2Ja…" },
	};
	size_t i, n;
	char *text;
	FILE *out;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		out = open_memstream(&text, &n);
		assert_non_null(out);
		table_put_text(cases[i].text, 6, &pipe_end, out);
		fclose(out);
		assert_string_equal(text, cases[i].wanted);
		free(text);
	}
}

static const struct column cut[] = { { "own_id", TABLE_TEXT },	       { "text", TABLE_TEXT },
				     { "first_number", TABLE_NUMBER }, { "done_at", TABLE_TEXT },
				     { "last", TABLE_TEXT },	       { .name = NULL } };

static void cut_table(int width, bool utf8, const char *wanted)
{
	struct terminal terminal = { .width = width, .utf8 = utf8 };

	must_print(TABLE(cut, "0123456789", "日本日本日本日本日本", "123456789", "2025-01-02", "x"),
		   TABLE_PEOPLE, false, &terminal, wanted);
}

/* The widest text is cut first; no id, number or time is; then the last columns are left out. */
static void cutting(void **state)
{
	(void)state;
	cut_table(61, true,
		  "                                      first\n"
		  "own id      text                     number  done at     last\n"
		  "0123456789  日本日本日本日本日本  123456789  2025-01-02  x\n");
	cut_table(60, true,
		  "                                     first\n"
		  "own id      text                    number  done at     last\n"
		  "0123456789  日本日本日本日本日…  123456789  2025-01-02  x\n");
	cut_table(59, false,
		  "                                    first\n"
		  "own id      text                   number  done at     last\n"
		  "0123456789  日本日本日本日本>   123456789  2025-01-02  x\n");
	cut_table(49, true,
		  "                          first\n"
		  "own id      text         number  done at     last\n"
		  "0123456789  日本日…   123456789  2025-01-02  x\n");
	cut_table(48, true,
		  "                          first\n"
		  "own id      text         number  done at\n"
		  "0123456789  日本日…   123456789  2025-01-02\n");
	cut_table(1, true, "own id\n0123456789\n");
}

static void no_day_is_cut(void **state)
{
	static const struct column two[] = { { "day", TABLE_TEXT },
					     { "text", TABLE_TEXT },
					     { .name = NULL } };
	struct terminal terminal = { .width = 20, .utf8 = true };

	(void)state;
	must_print(TABLE(two, "2026-11-08", "a long text"), TABLE_PEOPLE, false, &terminal,
		   "day         text\n2026-11-08  a long …\n");
}

/* However narrow: its heading's longest word is whole. */
static void a_heading_is_not_cut(void **state)
{
	static const struct column two[] = { { "conversation", TABLE_TEXT },
					     { "b", TABLE_TEXT },
					     { .name = NULL } };
	struct terminal terminal = { .width = 15, .utf8 = true };

	(void)state;
	must_print(TABLE(two, "a long conversation", "x"), TABLE_PEOPLE, false, &terminal,
		   "conversation  b\na long conv…  x\n");
}

static void headings_are_bold(void **state)
{
	static const struct column one[] = { { "a_b", TABLE_TEXT }, { .name = NULL } };
	struct terminal terminal = { .width = 80, .colours = true, .utf8 = true };

	(void)state;
	must_print(TABLE(one, "x"), TABLE_PEOPLE, false, &terminal,
		   "\033[1ma\033[0m\n\033[1mb\033[0m\nx\n");
	must_print(TABLE(one, "x"), TABLE_PEOPLE, true, &terminal, "\033[1ma b\033[0m  x\n");
}

static void nothing_steers_the_terminal(void **state)
{
	static const struct column one[] = { { "a", TABLE_TEXT }, { .name = NULL } };
	char cell[3] = "?x", wanted[16];
	int c;

	(void)state;
	for (c = 1; c < 0x20; c++) {
		cell[0] = (char)c;
		snprintf(wanted, sizeof(wanted), "a\n%cx\n", c == '\t' ? ' ' : '?');
		must_print(TABLE(one, cell), TABLE_PEOPLE, false, &pipe_end, wanted);
	}
	/* Where the locale is not UTF-8, no byte above ASCII is let through. */
	setlocale(LC_CTYPE, "C");
	must_print(TABLE(one, "\xc2\x9b"
			      "x"),
		   TABLE_PEOPLE, false, &pipe_end, "a\n??x\n");
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* It keeps nothing, and says so without a cause. */
static ssize_t lose(void *cookie, const char *bytes, size_t n)
{
	(void)cookie, (void)bytes, (void)n;
	return 0;
}

static void what_cannot_be_written(void **state)
{
	struct table *table = mixed_table();
	FILE *out = fopen("/dev/full", "w");
	int i;

	(void)state;
	assert_non_null(out);
	errno = 0;
	assert_int_equal(table_print(table, TABLE_JSON, false, &pipe_end, out), STATUS_FAILED);
	assert_int_equal(errno, ENOSPC);
	fclose(out);
	out = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = lose });
	assert_non_null(out);
	errno = ENOENT;
	assert_int_equal(table_print(table, TABLE_JSON, false, &pipe_end, out), STATUS_FAILED);
	assert_int_equal(errno, 0);
	fclose(out);
	for (i = 0; i < TABLE_COLUMNS; i++)
		table_column(table, "x", TABLE_TEXT);
	assert_int_equal(table_print(table, TABLE_JSON, false, &pipe_end, stdout), STATUS_NOMEM);
	table_free(table);
	table_free(NULL);
}

static void a_table_that_goes_on(void **state)
{
	static const struct column two[] = { { "a", TABLE_TEXT },
					     { "b", TABLE_NUMBER },
					     { .name = NULL } };
	static const char *const wanted[] = {
		[TABLE_PEOPLE] = "a     b\nxyz   1\nx    22\n",
		[TABLE_JSON] = "{\"a\":\"xyz\",\"b\":1}\n{\"a\":\"x\",\"b\":22}\n",
		[TABLE_CSV] = "a,b\r\nxyz,1\r\nx,22\r\n",
	};
	enum table_form form;

	(void)state;
	for (form = TABLE_PEOPLE; form <= TABLE_CSV; form++) {
		struct table *first = TABLE(two, "xyz", "1"), *second = TABLE(two, "x", "22");
		struct table *none = TABLE(two, end);
		struct table_so_far so_far = { 0 };
		char *text = NULL;
		size_t n = 0;
		FILE *out = open_memstream(&text, &n);

		so_far.widths[1] = 2; /* a caller may know better */
		assert_int_equal(table_print_more(first, form, &so_far, &pipe_end, out), STATUS_OK);
		assert_int_equal(table_print_more(none, form, &so_far, &pipe_end, out), STATUS_OK);
		assert_int_equal(table_print_more(second, form, &so_far, &pipe_end, out),
				 STATUS_OK);
		fclose(out);
		assert_string_equal(text, wanted[form]);
		free(text);
		table_free(first);
		table_free(second);
		table_free(none);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(csv),
		cmocka_unit_test(csv_steers_no_terminal),
		cmocka_unit_test(people),
		cmocka_unit_test(a_records_lines_stay),
		cmocka_unit_test(widths),
		cmocka_unit_test(exactly_that_wide),
		cmocka_unit_test(cutting),
		cmocka_unit_test(no_day_is_cut),
		cmocka_unit_test(a_heading_is_not_cut),
		cmocka_unit_test(headings_are_bold),
		cmocka_unit_test(nothing_steers_the_terminal),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(a_table_that_goes_on),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
