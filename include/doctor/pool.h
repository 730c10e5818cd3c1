/* The pool, without a web server. */
#ifndef DOCTOR_POOL_H
#define DOCTOR_POOL_H

#include "doctor/check.h"

/* Its socket, who gets at it, the kernel's limits. */
void doctor_pool(struct doctor *doctor);
/* An exchange at its socket. */
void doctor_pool_exchange(struct doctor *doctor);

#endif
