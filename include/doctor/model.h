/* The model. */
#ifndef DOCTOR_MODEL_H
#define DOCTOR_MODEL_H

#include "doctor/check.h"

void doctor_model(struct doctor *doctor);

#endif
