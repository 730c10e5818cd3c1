/* PostgreSQL itself. */
#ifndef DOCTOR_SERVER_H
#define DOCTOR_SERVER_H

#include "doctor/check.h"

/* How it is set up: what it logs, what it keeps, whom it has room for. */
void doctor_server(struct doctor *doctor);
/* What a sweep would have done. */
void doctor_server_upkeep(struct doctor *doctor);

#endif
