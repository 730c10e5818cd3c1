/* Whether what is told as stored waits for a standby, and one is there. */
#ifndef DOCTOR_REPLICATION_H
#define DOCTOR_REPLICATION_H

#include "doctor/check.h"

/* Says nothing where no standby is waited for and none follows. */
void doctor_replication(struct doctor *doctor);

#endif
