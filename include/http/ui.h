/* The AI SDK's UI message stream (U1 to U4), which useChat and assistant-ui read. */
#ifndef HTTP_UI_H
#define HTTP_UI_H

#include "http/dialect.h"

extern const struct dialect dialect_ui;

#endif
