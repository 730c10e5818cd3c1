/* wire/config_text: files of lines and of sections, settings that must fit together, --help. */
#include "unit_config.h"

#include "wire/config_text.h"

static enum status note(void *context, struct str name, struct str value, struct buf *why)
{
	struct buf *seen = context;

	buf_str(seen, name);
	buf_putc(seen, '=');
	buf_str(seen, value);
	buf_putc(seen, ';');
	if (str_equal(value, STR("bad"))) {
		buf_puts(why, "refused");
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

static void files_are_lines(void **state)
{
	static const struct {
		struct str text;
		struct str seen;
		struct str why;
	} cases[] = {
		{ STR_NONE, STR(""), STR("") },
		{ STR(""), STR(""), STR("") },
		{ STR("\n\n  \n\t\r\n# comment\n  # another = one\n"), STR(""), STR("") },
		{ STR("A=1\nB_2=x y\n_C="), STR("A=1;B_2=x y;_C=;"), STR("") },
		{ STR("  A \t=  1  \r\nB=2\r\n"), STR("A=1;B=2;"), STR("") },
		{ STR("A=\"x y \"\nB='\"'\nC=\"\"\nD=\"\nE='a\"\nF=\"a\"b\n"),
		  STR("A=x y ;B=\";C=;D=\";E='a\";F=\"a\"b;"), STR("") },
		{ STR("A=b=c#d # e\n"), STR("A=b=c#d # e;"), STR("") },
		{ STR("\xef\xbb\xbf"
		      "A=1"),
		  STR("A=1;"), STR("") },
		{ STR("A=1\n\nB=bad\nC=1\n"), STR("A=1;B=bad;"), STR("line 3: refused") },
		{ STR("A=1\nnonsense\n"), STR("A=1;"),
		  STR("line 2: must be NAME=value, blank, or begin with #") },
		{ STR("=1\n"), STR(""), STR("line 1: must be NAME=value, blank, or begin with #") },
		{ STR("sk-secret==\n"), STR(""),
		  STR("line 1: must be NAME=value, blank, or begin with #") },
		{ STR("1A=1"), STR(""), STR("line 1: must be NAME=value, blank, or begin with #") },
		{ STR("export A=1\n export  B='2'\nexport_=3"), STR("A=1;B=2;"),
		  STR("line 3: must be NAME=value, blank, or begin with #") },
		{ STR("export A"), STR(""),
		  STR("line 1: must be NAME=value, blank, or begin with #") },
		{ STR("\0=1"), STR(""), STR("line 1: must be NAME=value, blank, or begin with #") },
	};
	struct buf seen, why;
	enum status status;
	size_t i;

	(void)state;
	buf_init(&seen, 500);
	buf_init(&why, 500);
	for (i = 0; i < COUNT(cases); i++) {
		buf_reset(&seen);
		buf_reset(&why);
		status = config_lines(cases[i].text, note, &seen, &why);
		assert_int_equal(status, cases[i].why.n ? STATUS_INVALID : STATUS_OK);
		assert_same(buf_view(&seen), cases[i].seen);
		assert_same(buf_view(&why), cases[i].why);
	}
	buf_clear(&seen);
	buf_clear(&why);
}

static enum status note_section(void *context, struct str name, struct buf *why)
{
	struct buf *seen = context;

	buf_putc(seen, '[');
	buf_str(seen, name);
	buf_puts(seen, "];");
	if (str_equal(name, STR("bad"))) {
		buf_puts(why, "refused");
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

static void files_have_sections(void **state)
{
	static const char none[] = "must be [NAME], NAME=value, blank, or begin with #";
	static const struct {
		struct str text, seen;
		const char *where, *what; /* NULL: nothing is wrong */
	} cases[] = {
		{ STR("\xef\xbb\xbf# x\n [ a ] \r\nA=1\n[b]\nA='[c]'\n#[d]\n[]"),
		  STR("[a];A=1;[b];A=[c];[];"), NULL, NULL },
		{ STR("A=1\n"), STR("A=1;"), NULL, NULL },
		{ STR("A=bad\n"), STR("A=bad;"), "line 1: ", "refused" },
		{ STR("[a]\n\nA=bad\n"), STR("[a];A=bad;"), "line 3: [a] ", "refused" },
		{ STR("[a]\n[bad]\n"), STR("[a];[bad];"), "line 2: ", "refused" },
		{ STR("[a]\n[b] # x\n"), STR("[a];"), "line 2: [a] ", none },
		{ STR("[a\n"), STR(""), "line 1: ", none },
		{ STR("["), STR(""), "line 1: ", none },
		{ STR("[a]\nsk-secret==\n"), STR("[a];"), "line 2: [a] ", none },
	};
	struct buf seen, why, expected;
	size_t i;

	(void)state;
	buf_init(&seen, 500);
	buf_init(&why, 500);
	buf_init(&expected, 500);
	for (i = 0; i < COUNT(cases); i++) {
		buf_reset(&seen);
		buf_reset(&why);
		buf_reset(&expected);
		assert_int_equal(config_sections(cases[i].text, note_section, note, &seen, &why),
				 cases[i].where ? STATUS_INVALID : STATUS_OK);
		if (cases[i].where)
			buf_printf(&expected, "%s%s", cases[i].where, cases[i].what);
		assert_same(buf_view(&seen), cases[i].seen);
		assert_same(buf_view(&why), buf_view(&expected));
	}
	/* Files without sections have none. */
	buf_reset(&why);
	assert_int_equal(config_lines(STR("[a]"), note, &seen, &why), STATUS_INVALID);
	assert_str(buf_view(&why), "line 1: must be NAME=value, blank, or begin with #");
	buf_clear(&seen);
	buf_clear(&why);
	buf_clear(&expected);
}

static enum status set_line(void *context, struct str name, struct str value, struct buf *why)
{
	return config_set(context, name, value, why);
}

static void a_file_fills_the_settings(void **state)
{
	struct config config;
	struct buf why;

	(void)state;
	must_init(&config);
	buf_init(&why, 500);
	assert_int_equal(
		config_lines(STR("BANTER_WORKERS=3\nBANTER_MODEL='m'\n"), set_line, &config, &why),
		STATUS_OK);
	assert_int_equal(config.workers.most, 3);
	assert_string_equal(config.model, "m");
	assert_int_equal(config_lines(STR("\nBANTER_WORKERS=none\n"), set_line, &config, &why),
			 STATUS_INVALID);
	assert_str(buf_view(&why), "line 2: BANTER_WORKERS must be a whole number from 1 to 4096, "
				   "or two of them: LEAST:MOST");
	config_clear(&config);
	buf_clear(&why);
}

/* Its letters alone: where lines are broken is the printer's. */
static void bare(const char *text, struct buf *out)
{
	buf_reset(out);
	for (; *text; text++)
		if (!strchr(" \n", *text))
			buf_putc(out, *text);
}

static void help_names_everything(void **state)
{
	struct config_entry entry;
	size_t size = 0, i;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	struct buf all, one;
	const char *at;
	bool restart;

	(void)state;
	assert_non_null(out);
	config_help(out);
	fclose(out);
	buf_init(&all, size + 1);
	buf_init(&one, 4096);
	bare(text, &all);
	for (i = 0; config_entry_at(i, &entry); i++) {
		assert_non_null(strstr(text, entry.name));
		assert_non_null(strstr(text, entry.fallback));
		assert_non_null(strstr(text, entry.allowed));
		bare(entry.meaning, &one);
		assert_non_null(strstr(buf_text(&all), buf_text(&one)));
		if (entry.also)
			assert_non_null(strstr(text, entry.also));
		buf_reset(&one);
		buf_printf(&one, "  %s%c", entry.name, *entry.fallback ? '=' : '\n');
		at = strstr(text, buf_text(&one));
		assert_non_null(at);
		at = strstr(at, entry.allowed);
		restart = memmem(at, strcspn(at, "\n"), "needs a restart", 15);
		assert_int_equal(restart, entry.restart);
	}
	buf_clear(&all);
	buf_clear(&one);
	assert_non_null(strstr(text, "BANTER_MODEL_KEY_FILE"));
	assert_null(strstr(text, "BANTER_MODEL_FILE"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_lines),
		cmocka_unit_test(files_have_sections),
		cmocka_unit_test(a_file_fills_the_settings),
		cmocka_unit_test(help_names_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
