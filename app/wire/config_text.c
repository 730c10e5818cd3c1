/* The settings as text: a file's lines, and --help.  The table is config_table.c's. */
#include "wire/config_text.h"

#include "wire/config.h"

#define INDENT 6
#define WIDTH 80

/* One of a file's lines may be a stray piece of a secret: only what looks like a name is one. */
static bool is_name(struct str text)
{
	size_t i;

	for (i = 0; i < text.n; i++)
		if (!(text.p[i] >= 'A' && text.p[i] <= 'Z') && text.p[i] != '_' &&
		    !(text.p[i] >= '0' && text.p[i] <= '9'))
			return false;
	return text.n && !(*text.p >= '0' && *text.p <= '9');
}

static struct str unquote(struct str text)
{
	if (text.n >= 2 && (*text.p == '"' || *text.p == '\'') && text.p[text.n - 1] == *text.p)
		return (struct str){ text.p + 1, text.n - 2 };
	return text;
}

/* What a file's lines are for. */
struct text_reading {
	config_section_fn section; /* NULL: it has none */
	config_line_fn set;
	void *context;
	struct str name; /* of the section they are in */
};

static enum status take_section(struct text_reading *reading, struct str name, struct buf *why)
{
	enum status status = reading->section(reading->context, name, why);

	/* Now it is known to be none of a secret's. */
	if (status == STATUS_OK)
		reading->name = name;
	return status;
}

static enum status take_line(struct text_reading *reading, struct str line, struct buf *why)
{
	struct str name, value;
	const char *equals;

	line = str_trim(line, STR_SPACE);
	if (!line.n || *line.p == '#')
		return STATUS_OK;
	if (reading->section && *line.p == '[' && line.p[line.n - 1] == ']') {
		line = (struct str){ line.p + 1, line.n - 2 };
		return take_section(reading, str_trim(line, STR_SPACE), why);
	}
	if (reading->name.n)
		buf_printf(why, "[%.*s] ", STR_ARGS(reading->name));
	if (str_starts(line, STR("export "))) /* as in a file that a shell reads too */
		line = str_trim(str_skip(line, 7), STR_SPACE);
	equals = memchr(line.p, '=', line.n);
	name = str_trim((struct str){ line.p, equals ? (size_t)(equals - line.p) : 0 }, STR_SPACE);
	if (!is_name(name)) {
		buf_printf(why, "must be %sNAME=value, blank, or begin with #",
			   reading->section ? "[NAME], " : "");
		return STATUS_INVALID;
	}
	value = unquote(str_trim(str_skip(line, (size_t)(equals - line.p) + 1), STR_SPACE));
	return reading->set(reading->context, name, value, why);
}

static enum status read_lines(struct text_reading *reading, struct str text, struct buf *why)
{
	size_t number = 0, said = why->len;
	enum status status;
	struct str line;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_skip(text, 3);
	while (text.n) {
		line = str_cut(&text, STR("\n"));
		buf_printf(why, "line %zu: ", ++number);
		status = take_line(reading, line, why);
		if (status != STATUS_OK)
			return status;
		buf_truncate(why, said);
	}
	return STATUS_OK;
}

enum status config_lines(struct str text, config_line_fn set, void *context, struct buf *why)
{
	return read_lines(&(struct text_reading){ .set = set, .context = context }, text, why);
}

enum status config_sections(struct str text, config_section_fn section, config_line_fn set,
			    void *context, struct buf *why)
{
	return read_lines(&(struct text_reading){ section, set, context, STR_NONE }, text, why);
}

/* In lines of a terminal's width. */
static void put_words(struct str text, FILE *out)
{
	struct str word;
	size_t used = 0;

	while (text.n) {
		word = str_cut(&text, STR(" "));
		if (!used || used + 1 + word.n > WIDTH) {
			fprintf(out, "\n%*s", INDENT - 1, "");
			used = INDENT - 1;
		}
		used += (size_t)fprintf(out, " %.*s", STR_ARGS(word));
	}
}

void config_help(FILE *out)
{
	struct config_entry entry;
	size_t i;

	for (i = 0; config_entry_at(i, &entry); i++) {
		fprintf(out, "  %s", entry.name);
		if (*entry.fallback)
			fprintf(out, "=%s", entry.fallback);
		put_words(str_from(entry.meaning), out);
		fprintf(out, "\n%*s%s", INDENT, "", entry.allowed);
		if (entry.secret)
			fprintf(out, "; or %s_FILE=PATH", entry.name);
		if (entry.also)
			fprintf(out, "; else %s", entry.also);
		fputs(entry.restart ? "; a change needs a restart\n" : "\n", out);
	}
}
