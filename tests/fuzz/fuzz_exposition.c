/*
 * wire/exposition: whatever a label or a help holds, both formats keep to their lines, and who reads them finds each
 * label's value as it went in, each sample with a number behind it, and each counted name once.
 */
#include "fuzz.h"

#include "wire/exposition.h"

#define NAMES 3
#define TOO_LONG 64 /* for a counted name */

/* Three texts without a NUL, of the input's thirds. */
struct input {
	char *texts[NAMES];
	struct counter_table *table;
};

static const char *find(const char *at, const char *end, char wanted)
{
	const char *found = memchr(at, wanted, (size_t)(end - at));

	must(found);
	return found;
}

/* A quoted value, its escapes taken back; returns where it ends, behind the quote. */
static const char *read_quoted(const char *at, const char *end, struct buf *value)
{
	for (; at < end && *at != '"'; at++) {
		if (*at != '\\') {
			buf_putc(value, *at);
			continue;
		}
		at++;
		must(at < end && (*at == '\\' || *at == '"' || *at == 'n'));
		buf_putc(value, *at == 'n' ? '\n' : *at);
	}
	must(at < end);
	return at + 1;
}

/* What a reader has seen of the values that we know. */
struct seen {
	const struct input *in;
	unsigned marked, served[NAMES];
};

static void see(struct seen *seen, struct str sample, struct str label, struct str value)
{
	int i;

	if (str_equal(label, STR("mark"))) {
		must(str_equal(value, str_from(seen->in->texts[0])));
		seen->marked++;
	}
	for (i = 0; i < NAMES; i++)
		if (str_equal(sample, STR("banter_model_requests_total")) &&
		    str_equal(label, STR("server")) &&
		    str_equal(value, str_from(seen->in->texts[i])))
			seen->served[i]++;
}

/* NAME="VALUE", behind a brace or a comma; returns where it ends. */
static const char *read_label(struct seen *seen, struct str sample, const char *at, const char *end)
{
	struct str label = { at, (size_t)(find(at, end, '=') - at) };
	struct buf value;

	buf_init(&value, (size_t)(end - at));
	at += label.n + 1;
	must(*at == '"');
	at = read_quoted(at + 1, end, &value);
	must(buf_check(&value) == STATUS_OK);
	see(seen, sample, label, buf_view(&value));
	buf_clear(&value);
	return at;
}

/* A sample's line: a name, its labels, one space, a number. */
static void read_sample(struct seen *seen, const char *at, const char *end)
{
	struct str sample = { at, 0 };

	while (at < end && (*at == '_' || (*at >= 'a' && *at <= 'z')))
		at++;
	sample.n = (size_t)(at - sample.p);
	must(str_starts(sample, STR("banter_")));
	if (*at == '{') {
		do {
			at = read_label(seen, sample, at + 1, end);
		} while (*at == ',');
		must(*at++ == '}');
	}
	must(*at == ' ' && at + 1 < end);
	for (at++; at < end; at++)
		must((*at >= '0' && *at <= '9') || *at == '.');
}

static void read_all(struct seen *seen, struct str text, bool open)
{
	const char *at = text.p, *last = text.p + text.n, *end;
	bool ended = false;

	while (at < last) {
		must(!ended);
		end = find(at, last, '\n');
		if (*at != '#')
			read_sample(seen, at, end);
		else if ((size_t)(end - at) == 5)
			ended = memcmp(at, "# EOF", 5) == 0;
		else
			must(memcmp(at, "# HELP banter_", 14) == 0 ||
			     memcmp(at, "# TYPE banter_", 14) == 0 ||
			     memcmp(at, "# UNIT banter_", 14) == 0);
		at = end + 1;
	}
	must(ended == open);
}

static void write_all(struct buf *out, const struct input *in, bool open)
{
	const struct exposition_label labels[] = { { "first", "1" },
						   { "mark", in->texts[0] },
						   { NULL, NULL } };
	struct exposition exposition;

	exposition_begin(&exposition, out, open);
	exposition_family(&exposition, "marked", EXPOSITION_COUNTER, "", in->texts[1]);
	exposition_whole(&exposition, labels, 1);
	exposition_family(&exposition, "age", EXPOSITION_GAUGE, "seconds", in->texts[2]);
	exposition_thousandths(&exposition, labels, 1007);
	exposition_thousandths(&exposition, NULL, 7);
	exposition_counters(&exposition, in->table);
	exposition_end(&exposition);
	must(buf_check(out) == STATUS_OK);
}

static char *text_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	size_t i;

	must(text);
	for (i = 0; i < size; i++)
		text[i] = (char)(data[i] ? data[i] : 1);
	text[size] = '\0';
	return text;
}

static void count(const struct input *in)
{
	struct counter_slot *slot = counter_table_slot(in->table, 0);
	unsigned server, route;
	int i;

	for (i = 0; i < NAMES; i++) {
		server = counter_name(in->table, COUNTER_SET_SERVER, str_from(in->texts[i]));
		route = counter_name(in->table, COUNTER_SET_ROUTE, str_from(in->texts[i]));
		counter_add_at(slot, COUNTER_MODEL_REQUESTS, server, 0, 1);
		counter_add_at(slot, COUNTER_REQUESTS, route, COUNTER_STATUS_200, 1);
		counter_took(slot, COUNTER_GAPS, 0, (int64_t)strlen(in->texts[i]) * 1000, 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .table = NULL };
	size_t third = size / NAMES;
	struct seen seen;
	struct buf out;
	int open, i;

	for (i = 0; i < NAMES; i++)
		in.texts[i] =
			text_of(data + (size_t)i * third, i < NAMES - 1 ? third : size - 2 * third);
	must(counter_table_open(NULL, 1, &in.table, NULL) == STATUS_OK);
	count(&in);
	for (open = 0; open < 2; open++) {
		buf_init(&out, (1 << 20) + 64 * size);
		seen = (struct seen){ .in = &in };
		write_all(&out, &in, open);
		read_all(&seen, buf_view(&out), open);
		must(seen.marked == 2);
		for (i = 0; i < NAMES; i++) /* one that is too long is "other" */
			must(seen.served[i] == 1 || strlen(in.texts[i]) >= TOO_LONG);
		buf_clear(&out);
	}
	counter_table_close(in.table);
	for (i = 0; i < NAMES; i++)
		free(in.texts[i]);
	return 0;
}
