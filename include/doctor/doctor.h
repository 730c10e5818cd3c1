/*
 * banterctl doctor: the real thing is tried, part by part, and each finding says what to do next.
 * One file a family of checks; doctor.c runs them in order and prints.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "chat/key.h"
#include "cli/command.h"
#include "doctor/stream.h"
#include "edge/db.h"
#include "edge/probe.h"
#include "wire/config.h"

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_WARNING,
	DOCTOR_WRONG,
	DOCTOR_UNTRIED, /* since something before it is wrong, or nobody asked for it */
};

struct doctor_finding {
	enum doctor_verdict verdict;
	const char *check;
	char *found, *steps; /* steps: lines, NULL: none */
};

/* Who asks in the self-test: a widget key's owner, made for it or the operator's own. */
struct doctor_tenant {
	char key[KEY_TEXT_SIZE];
	int64_t workspace;
	char session[64];
	bool there, made;
};

#define DOCTOR_FINDINGS 64

struct doctor {
	const struct cli_call *call;
	const struct config *config;
	const char *url; /* the public one, without a slash at its end; NULL: not asked for */
	bool with_model;
	struct terminal terminal;
	struct doctor_finding found[DOCTOR_FINDINGS];
	int count;
	struct buf heard; /* what was logged since doctor_listen() */
	/* What later checks rest on. */
	struct db *db;	  /* as the application; NULL: not reached */
	struct db *owner; /* as the operator; NULL: not reached, or may not */
	bool schema;	  /* it is there, and of our version */
	struct doctor_tenant tenant;
	bool model, pool;	      /* it answers; its socket does */
	struct stream_times by_model; /* the answer's pace, straight from it */
	struct stream_times by_pool;  /* ... and through the pool's socket */
};

/* A finding; the steps said behind it are its. `check` is a constant. */
void doctor_find(struct doctor *doctor, enum doctor_verdict verdict, const char *check,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What to do about it: a command or a setting, a line of its own. */
void doctor_step(struct doctor *doctor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Forgets what was logged so far. */
void doctor_listen(struct doctor *doctor);
/* The last thing logged since then. */
struct str doctor_heard(const struct doctor *doctor);

/* One row of an answer; NULL: the call failed, doctor_heard() says why. */
struct db_rows *doctor_ask(struct doctor *doctor, struct db *db, const char *sql);

/* Why a probe did not come to its end, and what to do. `ca`: the setting for authorities, or NULL. */
void doctor_probe_failed(struct doctor *doctor, const char *check, const struct probe *probe,
			 const char *setting, const char *ca);
/* The clock of who sent that "Date" header against ours. */
void doctor_date(struct doctor *doctor, const char *check, const struct probe *probe);

/* The families. */
void doctor_settings(struct doctor *doctor);
void doctor_files(struct doctor *doctor);
void doctor_database(struct doctor *doctor); /* connections, schema, roles */
void doctor_server(struct doctor *doctor);   /* how PostgreSQL is set up */
void doctor_upkeep(struct doctor *doctor);   /* what a sweep would have done */
void doctor_model(struct doctor *doctor);
void doctor_pool(struct doctor *doctor);
void doctor_exchange(struct doctor *doctor);   /* one, at the pool's socket */
void doctor_web(struct doctor *doctor);	       /* through the public URL */
void doctor_web_stream(struct doctor *doctor); /* its last part, for which there is a tenant */

/* Somebody to ask as. False: there is nobody, and a finding says why. */
bool doctor_tenant_take(struct doctor *doctor);
/* What the self-test left is removed. */
void doctor_tenant_leave(struct doctor *doctor);

#endif
