/* What the end of a probe means, wherever it went. */
#ifndef DOCTOR_PROBE_H
#define DOCTOR_PROBE_H

#include "doctor/check.h"
#include "edge/probe.h"

/* Why it did not come to its end, and what to do. `ca`: the setting for authorities, or NULL. */
void doctor_probe_failed(struct doctor *doctor, const char *check, const struct probe *probe,
			 const char *setting, const char *ca);
/* The clock of who sent that "Date" header against ours. */
void doctor_probe_date(struct doctor *doctor, const char *check, const struct probe *probe);

#endif
