/* The component deep-chat (D1 to D3). */
#ifndef HTTP_DEEP_CHAT_H
#define HTTP_DEEP_CHAT_H

#include "http/dialect.h"

extern const struct dialect dialect_deep_chat;

#endif
