/* One request to the public URL, and the beginning of what it answered. */
#ifndef DOCTOR_REQUEST_H
#define DOCTOR_REQUEST_H

#include <stdbool.h>

#include "base/buf.h"
#include "doctor/doctor.h"
#include "edge/probe.h"

struct request {
	struct probe probe;
	struct buf url, headers, reply;
};

void request_init(struct request *request, const struct doctor *doctor, const char *path);
/* False: no reply came (said). */
bool request_run(struct request *request, struct doctor *doctor, const char *check);
void request_clear(struct request *request);
/* The JSON reply has a member of that name, and it is this string. */
bool reply_says(const struct request *request, const char *member, const char *value);

#endif
