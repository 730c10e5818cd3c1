/* Who may read the files that hold secrets. */
#ifndef DOCTOR_FILES_H
#define DOCTOR_FILES_H

#include "doctor/check.h"

void doctor_files(struct doctor *doctor);

#endif
