/* A stream through the public URL. */
#ifndef DOCTOR_WEB_STREAM_H
#define DOCTOR_WEB_STREAM_H

#include "doctor/check.h"

/* For which there is a tenant. */
void doctor_web_stream(struct doctor *doctor);

#endif
