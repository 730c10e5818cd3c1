/* The database as the application and as the operator meet it. */
#ifndef DOCTOR_DATABASE_H
#define DOCTOR_DATABASE_H

#include "doctor/check.h"

/* Connections, schema, roles. */
void doctor_database(struct doctor *doctor);

#endif
