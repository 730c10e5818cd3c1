/*
 * Named gates: an answer waits before one until a test opens it. A gate stays open until the reset.
 */
#ifndef MODEL_GATES_H
#define MODEL_GATES_H

#include <stdbool.h>

#include "bell.h"
#include "status.h"

struct json_object;

struct gates {
	struct bell bell;
	struct json_object *open; /* a set: the names are its members */
};

enum status gates_init(struct gates *gates, int stop) MUST_CHECK;
void gates_clear(struct gates *gates);

enum status gates_open(struct gates *gates, const char *name) MUST_CHECK;
/* Closes all of them; who waits goes on waiting. */
enum status gates_reset(struct gates *gates) MUST_CHECK;
/* STATUS_OK once it is open; STATUS_LEFT, STATUS_STOPPED, STATUS_NO_MEMORY. */
enum status gates_wait(struct gates *gates, const char *name, int client) MUST_CHECK;

#endif
