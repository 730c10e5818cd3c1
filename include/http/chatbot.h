/* The chatbot API: many chatbots of many workspaces (B1 to B5). */
#ifndef HTTP_CHATBOT_H
#define HTTP_CHATBOT_H

#include "http/dialect.h"

extern const struct dialect dialect_chatbot;

#endif
