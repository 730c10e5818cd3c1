/* A worker's stage, written lock-free into the scoreboard. */
#include "base/stage.h"

#include <string.h>

#include "base/clock.h"
#include "base/hot.h"

void stage_set(struct stage *stage, enum stage_at at)
{
	if (stage)
		stage_set_at(stage, at, clock_ms());
}

HOT void stage_set_at(struct stage *stage, enum stage_at at, int64_t now)
{
	if (!stage)
		return;
	atomic_store_explicit(&stage->since, now, memory_order_relaxed);
	atomic_store_explicit(&stage->at, at, memory_order_relaxed);
	stage_step(stage);
}

void stage_request(struct stage *stage, struct str id)
{
	size_t n = id.n < STAGE_REQUEST_SIZE ? id.n : STAGE_REQUEST_SIZE - 1;

	if (!stage)
		return;
	if (n)
		memcpy(stage->request, id.p, n);
	stage->request[n] = '\0';
}

void stage_read_request(const struct stage *stage, char out[STAGE_REQUEST_SIZE])
{
	size_t n = 0;

	memcpy(out, stage->request, STAGE_REQUEST_SIZE);
	while (n < STAGE_REQUEST_SIZE - 1 && str_only((struct str){ out + n, 1 }, STR("._-")))
		n++;
	out[n] = '\0';
}

const char *stage_name(int at)
{
	static const char *const names[STAGE_COUNT] = {
		[STAGE_STARTING] = "starting", [STAGE_IDLE] = "idle",
		[STAGE_REQUEST] = "request",   [STAGE_BEGIN] = "begin",
		[STAGE_CONNECT] = "connect",   [STAGE_FIRST] = "first byte",
		[STAGE_STREAM] = "stream",     [STAGE_FINISH] = "finish",
		[STAGE_REPLY] = "reply",       [STAGE_HOLD] = "hold",
		[STAGE_WATCH] = "watch",
	};

	return at >= 0 && at < STAGE_COUNT ? names[at] : "unknown";
}
