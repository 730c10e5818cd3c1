/* One request to the public URL, and the beginning of what it answered. */
#ifndef DOCTOR_WEB_REQUEST_H
#define DOCTOR_WEB_REQUEST_H

#include <stdbool.h>

#include "base/buf.h"
#include "doctor/doctor.h"
#include "edge/probe.h"

struct web_request {
	struct probe probe;
	struct buf url, headers, reply;
};

void web_request_init(struct web_request *request, const struct doctor *doctor, const char *path);
/* False: no reply came (said). */
bool web_request_run(struct web_request *request, struct doctor *doctor, const char *check);
void web_request_clear(struct web_request *request);
/* The JSON reply has a member of that name, and it is this string. */
bool web_request_says(const struct web_request *request, const char *member, const char *value);

#endif
