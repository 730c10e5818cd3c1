/* A worker's stage, written lock-free into the scoreboard. */
#include "base/stage.h"

#include <stddef.h>

#include "base/clock.h"

void stage_set(struct stage *stage, enum stage_at at)
{
	if (stage)
		stage_set_at(stage, at, clock_ms());
}

void stage_set_at(struct stage *stage, enum stage_at at, int64_t now)
{
	if (!stage)
		return;
	atomic_store_explicit(&stage->since, now, memory_order_relaxed);
	atomic_store_explicit(&stage->at, at, memory_order_relaxed);
}

const char *stage_name(int at)
{
	static const char *const names[STAGE_COUNT] = {
		[STAGE_STARTING] = "starting", [STAGE_IDLE] = "idle",
		[STAGE_REQUEST] = "request",   [STAGE_BEGIN] = "begin",
		[STAGE_CONNECT] = "connect",   [STAGE_FIRST] = "first byte",
		[STAGE_STREAM] = "stream",     [STAGE_FINISH] = "finish",
		[STAGE_REPLY] = "reply",       [STAGE_HOLD] = "hold",
	};

	return at >= 0 && at < STAGE_COUNT ? names[at] : "unknown";
}
