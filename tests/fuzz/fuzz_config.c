/*
 * wire/config: a file's lines mean what they mean read the plain way; a refused value changes nothing and is in no
 * message; an accepted one, and what it became, is accepted again and changes nothing more.
 * An input is a file; and what is before its first `=` a name, what is behind it a value.
 */
#include "fuzz.h"

#include "wire/config.h"
#include "wire/config_text.h"

#define WHY_MOST 1000

#define WORDS (sizeof(struct config) / sizeof(uint64_t))

/* The settings as words: each is a number or the address of a text. */
union words {
	struct config config;
	uint64_t all[WORDS];
};

_Static_assert(sizeof(union words) == sizeof(struct config), "a setting is one word");

/*
 * Which of them are texts: two that are equal otherwise differ there. So a new setting is looked at without being
 * named here. Found out once: it is the same ever after.
 */
static const bool *texts(void)
{
	static bool is_text[WORDS], found;
	union words one, two;
	size_t i;

	if (found)
		return is_text;
	must(config_init(&one.config) == STATUS_OK && config_init(&two.config) == STATUS_OK);
	for (i = 0; i < WORDS; i++)
		is_text[i] = one.all[i] != two.all[i];
	config_clear(&one.config);
	config_clear(&two.config);
	found = true;
	return is_text;
}

static const char *text_of(const union words *words, size_t i)
{
	return (const char *)(uintptr_t)words->all[i];
}

/* All that the settings say, as bytes. */
static void describe(const struct config *config, struct buf *out)
{
	union words words = { .config = *config };
	const bool *is_text = texts();
	size_t i;

	buf_init(out, 1 << 20);
	for (i = 0; i < WORDS; i++) {
		if (is_text[i])
			buf_append(out, text_of(&words, i), strlen(text_of(&words, i)) + 1);
		else
			buf_append(out, &words.all[i], sizeof(words.all[i]));
	}
	must(buf_check(out) == STATUS_OK);
}

/* Ends `before`. */
static void unchanged(const struct config *config, struct buf *before)
{
	struct buf now;

	describe(config, &now);
	must(str_equal(buf_view(&now), buf_view(before)));
	buf_clear(&now);
	buf_clear(before);
}

static void accepted_again(struct config *config, struct str name, struct str value)
{
	union words earlier = { .config = *config }, later;
	struct buf before, why;
	char *normal;
	size_t i;

	buf_init(&why, WHY_MOST);
	describe(config, &before);
	must(config_set(config, name, value, &why) == STATUS_OK);
	/* A text that was set is another one; what was made of it must be a value too. */
	later.config = *config;
	for (i = 0; i < WORDS; i++) {
		if (later.all[i] == earlier.all[i])
			continue;
		normal = strdup(text_of(&later, i));
		must(normal);
		must(config_set(config, name, str_from(normal), &why) == STATUS_OK);
		free(normal);
	}
	must(!why.len);
	unchanged(config, &before);
	buf_clear(&why);
}

/* A refusal says this and no more, so that no value can be in it. */
static void refused_in_words(struct str name, struct str why)
{
	struct config_entry entry;
	struct buf words;
	size_t i;

	buf_init(&words, WHY_MOST);
	for (i = 0; config_entry_at(i, &entry); i++)
		if (str_equal(name, str_from(entry.name)))
			buf_printf(&words, "%s must be %s", entry.name, entry.allowed);
	if (words.len)
		must(str_equal(why, buf_view(&words)));
	else if (!str_starts(name, STR("BANTER_")))
		must(str_equal(why, STR("unknown setting: --help lists them")));
	else
		must(why.n <= 64 + strlen(" is no setting: --help lists them"));
	buf_clear(&words);
}

/* A number without a unit is accepted where the words say so, and nowhere else. */
static void words_are_true(struct str name, struct str value, bool accepted)
{
	double least, most, number = 0;
	struct config_entry entry;
	size_t i;

	/* Twelve digits are the most of a time. */
	for (i = 0; i < value.n && i < 12 && value.p[i] >= '0' && value.p[i] <= '9'; i++)
		number = number * 10 + (value.p[i] - '0');
	if (!i || i < value.n)
		return;
	for (i = 0; config_entry_at(i, &entry); i++)
		if (str_equal(name, str_from(entry.name)) &&
		    (sscanf(entry.allowed, "a whole number from %lf to %lf", &least, &most) == 2 ||
		     sscanf(entry.allowed, "seconds from %lf to %lf", &least, &most) == 2))
			must(accepted == (number >= least && number <= most));
}

static enum status set(void *context, struct str name, struct str value, struct buf *why)
{
	struct config *config = context;
	struct buf before;
	size_t from = why->len;
	enum status status;

	describe(config, &before);
	status = config_set(config, name, value, why);
	must(buf_check(why) == STATUS_OK);
	words_are_true(name, value, status == STATUS_OK);
	if (status == STATUS_OK) {
		must(why->len == from);
		buf_clear(&before);
		accepted_again(config, name, value);
	} else {
		must(status == STATUS_INVALID);
		unchanged(config, &before);
		refused_in_words(name, str_skip(buf_view(why), from));
	}
	return status;
}

static struct str trimmed(struct str text)
{
	while (text.n && (*text.p == ' ' || *text.p == '\t' || *text.p == '\r'))
		text = str_skip(text, 1);
	while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t' ||
			  text.p[text.n - 1] == '\r'))
		text.n--;
	return text;
}

static bool is_name(struct str name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t i;

	for (i = 0; i < name.n; i++)
		if (!memchr(letters, name.p[i], sizeof(letters) - 1))
			return false;
	return name.n && !(*name.p >= '0' && *name.p <= '9');
}

/* One line of a file: true if it must be refused, with `why` saying so. */
static bool plain_line(struct str line, struct config *config, struct buf *why)
{
	struct str name, value;
	size_t n = 0;

	line = trimmed(line);
	if (!line.n || *line.p == '#')
		return false;
	if (str_starts(line, STR("export ")))
		line = trimmed(str_skip(line, strlen("export ")));
	while (n < line.n && line.p[n] != '=')
		n++;
	name = trimmed((struct str){ line.p, n });
	if (n == line.n || !is_name(name)) {
		buf_puts(why, "must be NAME=value, blank, or begin with #");
		return true;
	}
	value = trimmed(str_skip(line, n + 1));
	if (value.n > 1 && *value.p == value.p[value.n - 1] &&
	    (*value.p == '\'' || *value.p == '"'))
		value = (struct str){ value.p + 1, value.n - 2 };
	return config_set(config, name, value, why) != STATUS_OK;
}

static void plain_lines(struct str text, struct config *config, struct buf *why)
{
	unsigned number = 0;
	struct str line;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_skip(text, 3);
	while (text.n) {
		for (line = (struct str){ text.p, 0 }; line.n < text.n; line.n++)
			if (text.p[line.n] == '\n')
				break;
		text = str_skip(text, line.n + (line.n < text.n));
		buf_reset(why);
		buf_printf(why, "line %u: ", ++number);
		if (plain_line(line, config, why))
			return;
	}
	buf_reset(why);
}

static void as_file(struct str text)
{
	struct config config, plain;
	struct buf why, expected, before;
	enum status status;

	buf_init(&why, WHY_MOST);
	buf_init(&expected, WHY_MOST);
	must(config_init(&config) == STATUS_OK && config_init(&plain) == STATUS_OK);
	status = config_lines(text, set, &config, &why);
	plain_lines(text, &plain, &expected);
	must(status == (expected.len ? STATUS_INVALID : STATUS_OK));
	must(str_equal(buf_view(&why), buf_view(&expected)));
	describe(&plain, &before);
	unchanged(&config, &before);
	config_clear(&plain);
	config_clear(&config);
	buf_clear(&why);
	buf_clear(&expected);
}

/* A reload keeps what needs a restart, names just that, and has nothing more to keep. */
static void as_reload(struct str text)
{
	struct config fresh, old;
	struct config_entry entry;
	struct buf why, changed, before, names;
	struct str name;
	size_t i;

	buf_init(&why, WHY_MOST);
	buf_init(&changed, WHY_MOST);
	must(config_init(&fresh) == STATUS_OK && config_init(&old) == STATUS_OK);
	plain_lines(text, &fresh, &why);
	config_keep(&fresh, &old, &changed);
	config_clear(&old);
	buf_init(&names, WHY_MOST);
	buf_str(&names, buf_view(&changed));
	for (text = buf_view(&names); text.n;) {
		name = str_cut(&text, STR(", "));
		for (i = 0; config_entry_at(i, &entry); i++)
			if (str_equal(name, str_from(entry.name)))
				break;
		must(entry.restart && config_entry_at(i, &entry));
	}
	buf_reset(&changed);
	describe(&fresh, &before);
	must(config_init(&old) == STATUS_OK);
	config_keep(&fresh, &old, &changed);
	config_clear(&old);
	must(!changed.len);
	unchanged(&fresh, &before);
	config_clear(&fresh);
	buf_clear(&names);
	buf_clear(&changed);
	buf_clear(&why);
}

/* --help names every setting, with its default. */
static void help(void)
{
	struct config_entry entry;
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	must(out);
	config_help(out);
	must(fclose(out) == 0);
	for (i = 0; config_entry_at(i, &entry); i++)
		must(strstr(text, entry.name) && strstr(text, entry.fallback));
	free(text);
}

static void as_setting(struct str text)
{
	const char *equals = text.n ? memchr(text.p, '=', text.n) : NULL;
	struct str name = { text.p, equals ? (size_t)(equals - text.p) : text.n };
	struct config config;
	struct buf why;
	struct str value;

	must(config_init(&config) == STATUS_OK);
	buf_init(&why, WHY_MOST);
	value = fuzz_copy(equals ? str_skip(text, name.n + 1) : STR(""));
	if (set(&config, name, value.p ? value : STR(""), &why) == STATUS_OK)
		must(!why.len);
	fuzz_free(value);
	buf_clear(&why);
	config_clear(&config);
}

/* Of a setting that is read again from its file, the last one noted is known; what others are noted with is not. */
static void noted_files(void)
{
	struct config config;
	struct config_entry entry;
	size_t i;

	must(config_init(&config) == STATUS_OK);
	for (i = 0; config_entry_at(i, &entry); i++) {
		must(config_note_file(&config, str_from(entry.name), "/first") == STATUS_OK);
		must(config_note_file(&config, str_from(entry.name), entry.name) == STATUS_OK);
	}
	must(strcmp(config.files.database_url, "BANTER_DATABASE_URL") == 0);
	must(strcmp(config.files.admin_database_url, "BANTER_ADMIN_DATABASE_URL") == 0);
	must(strcmp(config.files.database_password, "BANTER_DATABASE_PASSWORD") == 0);
	config_clear(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = fuzz_copy((struct str){ (const char *)data, size });

	if (!size) {
		help();
		noted_files();
	}
	as_file(text);
	as_reload(text);
	as_setting(text);
	fuzz_free(text);
	return 0;
}
