/*
 * What the stand-in says when no directive tells it: that it is a stand-in, and what it was sent.
 */
#ifndef MODEL_VOICE_H
#define MODEL_VOICE_H

#include "ask.h"
#include "script.h"
#include "status.h"

/* The answer, in words of which none splits a character; cut off where max_tokens says so. */
enum status voice_speak(struct script *script, const struct ask *ask, int64_t delay) MUST_CHECK;

#endif
