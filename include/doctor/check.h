/* What the checks share: what was asked for, and what one has found that others rest on. */
#ifndef DOCTOR_CHECK_H
#define DOCTOR_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "chat/key.h"
#include "cli/command.h"
#include "doctor/report.h"
#include "doctor/stream.h"
#include "edge/db.h"
#include "wire/config.h"

/* Who asks in the self-test: a widget key's owner, made for it or the operator's own. */
struct doctor_tenant {
	char key[KEY_TEXT_SIZE];
	int64_t workspace;
	char session[64];
	bool there, made;
};

struct doctor {
	const struct cli_call *call;
	const struct config *config;
	struct report *report;
	const char *url; /* the public one, without a slash at its end; NULL: not asked for */
	bool with_model;
	/* What later checks rest on. */
	struct db *db;	  /* as the application; NULL: not reached */
	struct db *owner; /* as the operator; NULL: not reached, or may not */
	bool schema;	  /* it is there, and of our version */
	struct doctor_tenant tenant;
	bool model, pool;	      /* it answers; its socket does */
	struct stream_times by_model; /* the answer's pace, straight from it */
	struct stream_times by_pool;  /* ... and through the pool's socket */
};

/* One row of an answer; NULL: the call failed, report_heard() says why. */
struct db_rows *check_ask(struct doctor *doctor, struct db *db, const char *sql);

#endif
