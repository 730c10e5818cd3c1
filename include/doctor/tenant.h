/* Who the self-test asks as. */
#ifndef DOCTOR_TENANT_H
#define DOCTOR_TENANT_H

#include "doctor/check.h"

/* Somebody to ask as. False: there is nobody, and a finding says why. */
bool doctor_tenant_take(struct doctor *doctor);
/* What the self-test left is removed. */
void doctor_tenant_leave(struct doctor *doctor);

#endif
