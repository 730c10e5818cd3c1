/* The way of a client, through the public URL. */
#ifndef DOCTOR_WEB_H
#define DOCTOR_WEB_H

#include "doctor/check.h"

void doctor_web(struct doctor *doctor);

#endif
