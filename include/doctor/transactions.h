/* At which level ours run, and what keeps PostgreSQL from forgetting old rows. */
#ifndef DOCTOR_TRANSACTIONS_H
#define DOCTOR_TRANSACTIONS_H

#include "doctor/check.h"

/* The default level; old transactions, prepared ones, and what waits for a consumer that is away. */
void doctor_transactions(struct doctor *doctor);

#endif
