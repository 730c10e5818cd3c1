/*
 * What the stand-in was asked, and how each answer ended: kept for the tests to look at, and to
 * wait for. The last RECORDS_KEPT requests; numbers are never used twice.
 */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "bell.h"
#include "status.h"
#include "text.h"

enum { RECORDS_KEPT = 10000 };

enum ended {
	ENDED_NOT,
	ENDED_COMPLETE,	   /* all that was to be sent is sent */
	ENDED_CLIENT_LEFT, /* the client hung up before that */
	ENDED_CUT,	   /* we broke the connection: the script's wish, or the program's end */
};

struct record {
	uint64_t number; /* 1, 2, … ; 0: an empty slot */
	char *method;
	char *path;
	char *headers; /* a JSON object */
	char *body;    /* the body as JSON, "null" where it was none */
	char *said;    /* the texts of all messages, for searching; may hold NUL bytes */
	size_t said_len;
	double at; /* Unix seconds */
	unsigned code;
	uint64_t tokens;
	enum ended ended;
};

struct records {
	struct bell bell;
	struct record *slots;
	uint64_t first; /* the oldest number kept */
	uint64_t next;
};

struct record_query {
	const char *contains; /* in a message's text or in the body; NULL: any */
	bool ended_any;	      /* ended in whatever way */
	enum ended ended;     /* ENDED_NOT: does not matter */
	uint64_t tokens;      /* at least so many are on the wire */
};

/* STATUS_OK and the value for "complete", "client_left", "cut". */
enum status ended_parse(const char *name, enum ended *ended) MUST_CHECK;

enum status records_init(struct records *records, int stop) MUST_CHECK;
void records_clear(struct records *records);
void records_reset(struct records *records);

/* Takes the record's strings in any case, and gives it its number. */
uint64_t records_add(struct records *records, struct record *record);
/* These ignore a number that is gone. The first end counts. */
void records_answered(struct records *records, uint64_t number, unsigned code);
void records_sent(struct records *records, uint64_t number, uint64_t tokens);
void records_ended(struct records *records, uint64_t number, enum ended ended);

/* Adds a JSON array of the records that match, oldest first. */
void records_list(struct records *records, const struct record_query *query, struct text *out);
/*
 * Waits for a record that matches and adds it as JSON. STATUS_TIMEOUT at `due`; STATUS_LEFT,
 * STATUS_STOPPED, STATUS_NO_MEMORY.
 */
enum status records_wait(struct records *records, const struct record_query *query, int client,
			 int64_t due, struct text *out) MUST_CHECK;

#endif
