/* The settings: where they come from, and what does not go together. */
#ifndef DOCTOR_SETTINGS_H
#define DOCTOR_SETTINGS_H

#include "doctor/check.h"

void doctor_settings(struct doctor *doctor);

#endif
