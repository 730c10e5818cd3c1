/*
 * The ring of records. Writers ring the bell; a waiting reader searches each record's text only
 * once.
 */
#include "record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the records that hold the searched text, and how far the search has come. */
struct hits {
	uint64_t *numbers;
	size_t count, size;
	uint64_t from;
};

static const char *const ended_names[] = {
	[ENDED_COMPLETE] = "complete",
	[ENDED_CLIENT_LEFT] = "client_left",
	[ENDED_CUT] = "cut",
};

enum status ended_parse(const char *name, enum ended *ended)
{
	for (enum ended e = ENDED_COMPLETE; e <= ENDED_CUT; e++) {
		if (strcmp(name, ended_names[e]) == 0) {
			*ended = e;
			return STATUS_OK;
		}
	}
	return STATUS_INVALID;
}

enum status records_init(struct records *records, int stop)
{
	*records = (struct records){ .first = 1, .next = 1 };
	bell_init(&records->bell, stop);
	records->slots = calloc(RECORDS_KEPT, sizeof(*records->slots));
	return records->slots != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void record_clear(struct record *record)
{
	free(record->method);
	free(record->path);
	free(record->headers);
	free(record->body);
	free(record->said);
	*record = (struct record){ 0 };
}

static struct record *slot_of(const struct records *records, uint64_t number)
{
	return &records->slots[number % RECORDS_KEPT];
}

static void forget_until(struct records *records, uint64_t first)
{
	for (; records->first < first; records->first++)
		record_clear(slot_of(records, records->first));
}

void records_reset(struct records *records)
{
	bell_lock(&records->bell);
	forget_until(records, records->next);
	bell_unlock(&records->bell);
}

void records_clear(struct records *records)
{
	if (records->slots != NULL)
		forget_until(records, records->next);
	free(records->slots);
	bell_clear(&records->bell);
}

uint64_t records_add(struct records *records, struct record *record)
{
	uint64_t number;

	bell_lock(&records->bell);
	number = records->next++;
	if (number >= RECORDS_KEPT)
		forget_until(records, number - RECORDS_KEPT + 1);
	record->number = number;
	*slot_of(records, number) = *record;
	*record = (struct record){ 0 };
	bell_ring(&records->bell);
	bell_unlock(&records->bell);
	return number;
}

/* With the lock held. NULL: gone. */
static struct record *find(const struct records *records, uint64_t number)
{
	if (number < records->first || number >= records->next)
		return NULL;
	return slot_of(records, number);
}

void records_answered(struct records *records, uint64_t number, unsigned code)
{
	struct record *record;

	bell_lock(&records->bell);
	record = find(records, number);
	if (record != NULL)
		record->code = code;
	bell_unlock(&records->bell);
}

void records_sent(struct records *records, uint64_t number, uint64_t tokens)
{
	struct record *record;

	bell_lock(&records->bell);
	record = find(records, number);
	if (record != NULL && record->tokens != tokens) {
		record->tokens = tokens;
		bell_ring(&records->bell);
	}
	bell_unlock(&records->bell);
}

void records_ended(struct records *records, uint64_t number, enum ended ended)
{
	struct record *record;

	bell_lock(&records->bell);
	record = find(records, number);
	if (record != NULL && record->ended == ENDED_NOT) {
		record->ended = ended;
		bell_ring(&records->bell);
	}
	bell_unlock(&records->bell);
}

static bool holds(const struct record *record, const char *contains)
{
	if (contains == NULL)
		return true;
	if (record->said != NULL &&
	    memmem(record->said, record->said_len, contains, strlen(contains)) != NULL)
		return true;
	return record->body != NULL && strstr(record->body, contains) != NULL;
}

static bool fulfils(const struct record *record, const struct record_query *query)
{
	if (query->ended_any && record->ended == ENDED_NOT)
		return false;
	if (query->ended != ENDED_NOT && record->ended != query->ended)
		return false;
	return record->tokens >= query->tokens;
}

static void print(const struct record *record, struct text *out)
{
	text_printf(out, "{\"n\":%" PRIu64 ",\"method\":\"", record->number);
	text_json(out, record->method, strlen(record->method));
	text_puts(out, "\",\"path\":\"");
	text_json(out, record->path, strlen(record->path));
	text_puts(out, "\",\"headers\":");
	text_puts(out, record->headers);
	text_puts(out, ",\"body\":");
	text_puts(out, record->body);
	text_printf(out, ",\"at\":%.6f,\"status\":", record->at);
	if (record->code != 0)
		text_printf(out, "%u", record->code);
	else
		text_puts(out, "null");
	text_printf(out, ",\"tokens_sent\":%" PRIu64 ",\"ended\":", record->tokens);
	if (record->ended != ENDED_NOT)
		text_printf(out, "\"%s\"}", ended_names[record->ended]);
	else
		text_puts(out, "null}");
}

void records_list(struct records *records, const struct record_query *query, struct text *out)
{
	const char *comma = "";

	text_puts(out, "[");
	bell_lock(&records->bell);
	for (uint64_t n = records->first; n < records->next; n++) {
		const struct record *record = slot_of(records, n);

		if (!holds(record, query->contains) || !fulfils(record, query))
			continue;
		text_puts(out, comma);
		print(record, out);
		comma = ",\n";
	}
	bell_unlock(&records->bell);
	text_puts(out, "]\n");
}

static enum status collect(const struct records *records, const char *contains, struct hits *hits)
{
	if (hits->from < records->first)
		hits->from = records->first;
	for (; hits->from < records->next; hits->from++) {
		if (!holds(slot_of(records, hits->from), contains))
			continue;
		if (hits->count == hits->size) {
			size_t size = hits->size != 0 ? hits->size * 2 : 16;
			uint64_t *numbers = realloc(hits->numbers, size * sizeof(*numbers));

			if (numbers == NULL)
				return STATUS_NO_MEMORY;
			hits->numbers = numbers;
			hits->size = size;
		}
		hits->numbers[hits->count++] = hits->from;
	}
	return STATUS_OK;
}

enum status records_wait(struct records *records, const struct record_query *query, int client,
			 int64_t due, struct text *out)
{
	struct hits hits = { 0 };
	struct listener listener;
	enum status status;

	bell_lock(&records->bell);
	status = bell_listen(&records->bell, &listener);
	if (status != STATUS_OK)
		goto out;
	while (status == STATUS_OK) {
		status = collect(records, query->contains, &hits);
		for (size_t i = 0; i < hits.count; i++) {
			const struct record *record = find(records, hits.numbers[i]);

			if (record != NULL && fulfils(record, query)) {
				print(record, out);
				goto done;
			}
		}
		if (status == STATUS_OK)
			status = bell_wait(&records->bell, &listener, client, due);
	}
done:
	bell_ignore(&listener);
out:
	bell_unlock(&records->bell);
	free(hits.numbers);
	return status;
}
