/* AG-UI 1.0 (A1 to A3), which agents' front ends speak. */
#ifndef HTTP_AGUI_H
#define HTTP_AGUI_H

#include "http/dialect.h"

extern const struct dialect dialect_agui;

#endif
