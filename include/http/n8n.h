/* The widget @n8n/chat (N1 to N4). */
#ifndef HTTP_N8N_H
#define HTTP_N8N_H

#include "http/dialect.h"

extern const struct dialect dialect_n8n;

#endif
