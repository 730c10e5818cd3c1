/* One request to the public URL, and the beginning of what it answered. */
#ifndef DOCTOR_REQUEST_H
#define DOCTOR_REQUEST_H

#include <stdbool.h>

#include "base/buf.h"
#include "doctor/check.h"
#include "edge/probe.h"

struct doctor_request {
	struct probe probe;
	struct buf url, headers, reply;
};

void doctor_request_init(struct doctor_request *request, const struct doctor *doctor,
			 const char *path);
/* False: no reply came (said). */
bool doctor_request_run(struct doctor_request *request, struct doctor *doctor, const char *check);
void doctor_request_clear(struct doctor_request *request);
/* The JSON reply has a member of that name, and it is this string. */
bool doctor_request_says(const struct doctor_request *request, const char *member,
			 const char *value);

#endif
