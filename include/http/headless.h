/* The headless API: one widget or front end (H1 to H4). */
#ifndef HTTP_HEADLESS_H
#define HTTP_HEADLESS_H

#include "http/dialect.h"

extern const struct dialect dialect_headless;

#endif
