/*
 * The two text formats, which differ in little: OpenMetrics names a counter's family without _total,
 * says units, and ends with a line that says so.
 */
#include "wire/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"

#define PREFIX "banter_"
#define LABELS_MOST 5

static const int64_t bounds[COUNTER_BOUND_COUNT] = { COUNTER_BOUNDS };

void exposition_begin(struct exposition *exposition, struct buf *out, bool open)
{
	*exposition = (struct exposition){ .out = out, .open = open };
}

/* In a help only a backslash and a line's end are escaped; OpenMetrics escapes quotes there too. */
static void put_escaped(struct buf *out, const char *text, bool quotes)
{
	for (; *text; text++) {
		if (*text == '\\')
			buf_puts(out, "\\\\");
		else if (*text == '\n')
			buf_puts(out, "\\n");
		else if (*text == '"' && quotes)
			buf_puts(out, "\\\"");
		else
			buf_putc(out, *text);
	}
}

static void put_name(const struct exposition *exposition, const char *suffix)
{
	const char *unit = exposition->unit;

	buf_printf(exposition->out, PREFIX "%s%s%s%s", exposition->name, *unit ? "_" : "", unit,
		   suffix);
}

static void put_line(const struct exposition *exposition, const char *what, const char *text)
{
	bool total = exposition->type == EXPOSITION_COUNTER && !exposition->open;

	buf_printf(exposition->out, "# %s ", what);
	put_name(exposition, total ? "_total " : " ");
	put_escaped(exposition->out, text, exposition->open);
	buf_putc(exposition->out, '\n');
}

void exposition_family(struct exposition *exposition, const char *name, enum exposition_type type,
		       const char *unit, const char *help)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };

	exposition->name = name;
	exposition->type = type;
	exposition->unit = unit;
	put_line(exposition, "HELP", help);
	put_line(exposition, "TYPE", types[type]);
	if (exposition->open && *unit)
		put_line(exposition, "UNIT", unit);
}

static void put_labels(struct buf *out, const struct exposition_label *labels)
{
	const struct exposition_label *label;

	if (!labels || !labels->name) {
		buf_putc(out, ' ');
		return;
	}
	for (label = labels; label->name; label++) {
		buf_printf(out, "%c%s=\"", label == labels ? '{' : ',', label->name);
		put_escaped(out, label->value, true);
		buf_putc(out, '"');
	}
	buf_puts(out, "} ");
}

void exposition_whole(struct exposition *exposition, const struct exposition_label *labels,
		      uint64_t value)
{
	put_name(exposition, exposition->type == EXPOSITION_COUNTER ? "_total" : "");
	put_labels(exposition->out, labels);
	buf_printf(exposition->out, "%" PRIu64 "\n", value);
}

void exposition_thousandths(struct exposition *exposition, const struct exposition_label *labels,
			    int64_t value)
{
	put_name(exposition, "");
	put_labels(exposition->out, labels);
	buf_printf(exposition->out, "%" PRId64 ".%03d\n", value / 1000, (int)(value % 1000));
}

/* A bound as Prometheus' and OpenMetrics' own writers have it: "0.005", "1.0". */
static void name_bound(unsigned i, char *out, size_t size)
{
	size_t n;

	if (i == COUNTER_BOUND_COUNT) {
		snprintf(out, size, "+Inf");
		return;
	}
	n = (size_t)snprintf(out, size, "%" PRId64 ".%06d", bounds[i] / 1000000,
			     (int)(bounds[i] % 1000000));
	while (out[n - 1] == '0' && out[n - 2] != '.')
		out[--n] = '\0';
}

/* The values of one row, those that have one name together. */
struct row_reading {
	const struct counter_table *table;
	enum counter counter;
	const struct counter_entry *entry;
	unsigned a, b;
};

static uint64_t read_part(const struct row_reading *reading, unsigned part)
{
	const char *name = counter_set_value(reading->table, reading->entry->a, reading->a), *other;
	unsigned size = counter_set_size(reading->entry->a), a;
	uint64_t sum = 0;

	for (a = 0; a < size; a++) {
		other = counter_set_value(reading->table, reading->entry->a, a);
		if (other && strcmp(other, name) == 0)
			sum += counter_table_sum_at(reading->table, reading->counter, a, reading->b,
						    part);
	}
	return sum;
}

static void put_histogram(struct exposition *exposition, const struct row_reading *reading,
			  struct exposition_label *labels, size_t count)
{
	uint64_t sum = read_part(reading, COUNTER_BOUND_COUNT + 1), so_far = 0;
	char bound[24];
	unsigned i;

	labels[count + 1].name = NULL;
	for (i = 0; i <= COUNTER_BOUND_COUNT; i++) {
		so_far += read_part(reading, i);
		name_bound(i, bound, sizeof(bound));
		labels[count] = (struct exposition_label){ "le", bound };
		put_name(exposition, "_bucket");
		put_labels(exposition->out, labels);
		buf_printf(exposition->out, "%" PRIu64 "\n", so_far);
	}
	labels[count].name = NULL;
	put_name(exposition, "_sum");
	put_labels(exposition->out, labels);
	buf_printf(exposition->out, "%" PRIu64 ".%06d\n", sum / 1000000, (int)(sum % 1000000));
	put_name(exposition, "_count");
	put_labels(exposition->out, labels);
	buf_printf(exposition->out, "%" PRIu64 "\n", so_far);
}

/* A route's name is two labels: the API's word, and the path's pattern. */
static size_t add_label(struct exposition_label *labels, enum counter_set set, const char *value,
			char *word, size_t size)
{
	const char *space = strchr(value, ' ');

	if (set == COUNTER_SET_ALL)
		return 0;
	if (set != COUNTER_SET_ROUTE) {
		labels[0] = (struct exposition_label){ counter_set_label(set), value };
		return 1;
	}
	snprintf(word, size, "%.*s", space ? (int)(space - value) : 0, value);
	labels[0] = (struct exposition_label){ "api", word };
	labels[1] = (struct exposition_label){ "route", space ? space + 1 : value };
	return 2;
}

static void put_one(struct exposition *exposition, const struct row_reading *reading)
{
	const struct counter_entry *entry = reading->entry;
	struct exposition_label labels[LABELS_MOST];
	size_t count;
	char word[32];

	count = add_label(labels, entry->a, counter_set_value(reading->table, entry->a, reading->a),
			  word, sizeof(word));
	count += add_label(labels + count, entry->b,
			   counter_set_value(reading->table, entry->b, reading->b), word,
			   sizeof(word));
	labels[count].name = NULL;
	if (entry->kind == COUNTER_SECONDS)
		put_histogram(exposition, reading, labels, count);
	else
		exposition_whole(exposition, labels, read_part(reading, 0));
}

/* Whether a value is there, is no earlier one's name again, and is not the last one of names, unused. */
static bool stands(const struct row_reading *reading)
{
	enum counter_set set = reading->entry->a;
	const char *name = counter_set_value(reading->table, set, reading->a), *other;
	bool names = set == COUNTER_SET_ROUTE || set == COUNTER_SET_SERVER;
	unsigned a;

	if (!name)
		return false;
	for (a = 0; a < reading->a; a++) {
		other = counter_set_value(reading->table, set, a);
		if (other && strcmp(other, name) == 0)
			return false;
	}
	return !names || reading->a < counter_set_size(set) - 1 || read_part(reading, 0);
}

void exposition_counters(struct exposition *exposition, const struct counter_table *table)
{
	static const enum exposition_type types[] = {
		[COUNTER_TOTAL] = EXPOSITION_COUNTER,
		[COUNTER_GAUGE] = EXPOSITION_GAUGE,
		[COUNTER_SECONDS] = EXPOSITION_HISTOGRAM,
	};
	struct row_reading reading = { .table = table };
	int i;

	for (i = 0; i < COUNTERS; i++) {
		reading.counter = (enum counter)i;
		reading.entry = counter_entry_at(reading.counter);
		exposition_family(exposition, reading.entry->name, types[reading.entry->kind],
				  reading.entry->kind == COUNTER_SECONDS ? "seconds" : "",
				  reading.entry->help);
		for (reading.a = 0; reading.a < counter_set_size(reading.entry->a); reading.a++)
			for (reading.b = 0; reading.b < counter_set_size(reading.entry->b);
			     reading.b++)
				if (stands(&reading))
					put_one(exposition, &reading);
	}
}

void exposition_end(struct exposition *exposition)
{
	if (exposition->open)
		buf_puts(exposition->out, "# EOF\n");
}
