/*
 * The doorman's loop.  That it is not woken while a worker is idle rests on the kernel's order: an
 * exclusive wait wakes whoever has watched the longest, and we stand back to the end whenever we
 * find ourselves before an idle worker.  Where that does not hold, it costs time, not truth.
 */
#include "pool/doorman.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"
#include "edge/gateway.h"
#include "http/serve.h"

#define LOOK_MS 25	    /* whom a worker takes within this time needs no doorman */
#define LOOK_IDLE_MS 5	    /* the same, where a worker seems to be idle */
#define LOOK_ANYWAY_MS 1000 /* a waking can be lost with a process that ends as it is woken */
#define ROUND 256	    /* connections taken before we look at the clock again */
#define SPARE 64	    /* descriptors that are not connections we hold */
#define FOREVER_MS (INT64_MAX / 4)

struct doorman {
	const struct doorman_setup *setup;
	struct wait wait;
	struct http_parts parts;
	/* Whom the line has no room for, a ring: they came after all that are in the line. */
	struct line_entry *kept;
	uint32_t size, first, count;
};

/* As many descriptors as we may have; how many connections that lets us keep. */
static uint32_t most_kept(int64_t backlog)
{
	struct rlimit files;
	rlim_t room;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return 1;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		getrlimit(RLIMIT_NOFILE, &files);
	room = files.rlim_cur > SPARE ? files.rlim_cur - SPARE : 1;
	return (uint32_t)(room < (rlim_t)backlog ? room : (rlim_t)backlog);
}

static enum status open_parts(struct doorman *doorman)
{
	const struct doorman_setup *setup = doorman->setup;
	struct wait *wait = &doorman->wait;

	wait_init(wait);
	wait->stop = setup->stop;
	wait->drain_ms = FOREVER_MS; /* what is left to do then, this file says */
	wait->stage = &setup->slot->stage;
	doorman->parts = (struct http_parts){
		.duty = HTTP_REFUSE,
		.config = setup->config,
		.wait = wait,
		.limit = setup->limit,
		.holder = setup->holder,
	};
	doorman->size = most_kept(setup->config->backlog);
	doorman->kept = calloc(doorman->size, sizeof(*doorman->kept));
	if (!doorman->kept)
		return STATUS_NOMEM;
	return gateway_new(setup->listen_fd, false, 0, 0, &doorman->parts.gateway);
}

/* The next of those that are kept. */
static struct line_entry pop(struct doorman *doorman)
{
	struct line_entry entry = doorman->kept[doorman->first];

	doorman->first = (doorman->first + 1) % doorman->size;
	doorman->count--;
	return entry;
}

/* What of its request has not arrived by now is not waited for. */
static void refuse(struct doorman *doorman, int fd)
{
	struct http_parts *parts = &doorman->parts;

	if (gateway_open(parts->gateway, &doorman->wait, fd))
		return;
	http_serve(parts);
	gateway_finish(parts->gateway, &doorman->wait);
	atomic_fetch_add_explicit(&doorman->setup->slot->requests, 1, memory_order_relaxed);
}

/* All that wait since `latest` or longer, oldest first. */
static void refuse_late(struct doorman *doorman, int64_t latest)
{
	struct line_entry entry;

	while (line_take_late(doorman->setup->line, latest, &entry) == STATUS_OK)
		refuse(doorman, entry.fd);
	while (doorman->count && doorman->kept[doorman->first].since <= latest)
		refuse(doorman, pop(doorman).fd);
}

static void pass_on(struct doorman *doorman)
{
	while (doorman->count &&
	       line_put(doorman->setup->line, &doorman->kept[doorman->first]) == STATUS_OK)
		pop(doorman);
}

static void hold(struct doorman *doorman, int fd)
{
	struct line_entry entry = { fd, clock_ms() };

	if (!doorman->count && line_put(doorman->setup->line, &entry) == STATUS_OK)
		return;
	if (doorman->count < doorman->size)
		doorman->kept[(doorman->first + doorman->count++) % doorman->size] = entry;
	else
		refuse(doorman, fd);
}

static bool stopped(const struct doorman *doorman)
{
	return *doorman->setup->stop;
}

/* Whether nobody will take those in the line: the workers end too, or their master is gone. */
static bool all_end(const struct doorman *doorman)
{
	return stopped(doorman) && (atomic_load(&doorman->setup->scoreboard->closing) ||
				    getppid() != doorman->setup->master);
}

/* Waits for a moment; connections do not shorten it. */
static void pause_for(struct doorman *doorman, int64_t ms)
{
	enum status status = wait_some(&doorman->wait, clock_ms() + ms);

	(void)status;
}

/* Whoever waits in the backlog goes into the line, where it wakes a worker. */
static enum status take_in(struct doorman *doorman)
{
	enum status status = STATUS_OK;
	int fd, taken;

	for (taken = 0; taken < ROUND && status == STATUS_OK; taken++) {
		status = gateway_take(doorman->parts.gateway, &fd);
		if (status == STATUS_OK)
			hold(doorman, fd);
	}
	return status == STATUS_CLOSED ? STATUS_OK : status;
}

/* A connection waits, and the kernel found no worker to wake. */
static enum status let_in(struct doorman *doorman)
{
	bool idle = scoreboard_idle(doorman->setup->scoreboard);
	enum status status = STATUS_OK;

	if (idle) /* the kernel woke us in its place */
		status = gateway_stand_back(doorman->parts.gateway);
	pause_for(doorman, idle ? LOOK_IDLE_MS : LOOK_MS);
	return status ? status : take_in(doorman);
}

/* When there is something to do if no connection comes. */
static int64_t next_look(const struct doorman *doorman, int64_t now)
{
	int64_t since = line_since(doorman->setup->line);

	stage_set(doorman->wait.stage,
		  since == CLOCK_NEVER && !doorman->count ? STAGE_IDLE : STAGE_HOLD);
	if (doorman->count)
		return now + LOOK_MS; /* the line may have room again */
	return clock_earlier(now + LOOK_ANYWAY_MS,
			     since == CLOCK_NEVER ? since
						  : since + doorman->setup->config->queue_ms);
}

static enum status stand(struct doorman *doorman)
{
	struct gateway *gateway = doorman->parts.gateway;
	enum status status = STATUS_OK;
	int64_t now;

	while (status == STATUS_OK && (!stopped(doorman) || doorman->count)) {
		now = clock_ms();
		refuse_late(doorman, now - doorman->setup->config->queue_ms);
		pass_on(doorman);
		if (all_end(doorman))
			break;
		status = gateway_watch(gateway, &doorman->wait, next_look(doorman, now));
		if (status == STATUS_OK)
			status = let_in(doorman);
		else if (status == STATUS_TIMEOUT)
			status = take_in(doorman);
		else if (status == STATUS_STOPPED)
			pause_for(doorman, LOOK_MS);
		if (status == STATUS_STOPPED)
			status = STATUS_OK;
	}
	if (all_end(doorman))
		refuse_late(doorman, CLOCK_NEVER);
	else if (status == STATUS_OK) /* whose waking was ours must not wait for the next one's */
		status = take_in(doorman);
	pass_on(doorman);
	return status;
}

int doorman_run(const struct doorman_setup *setup)
{
	struct doorman doorman = { .setup = setup };
	enum status status = open_parts(&doorman);

	if (status == STATUS_OK)
		status = stand(&doorman);
	if (status)
		log_error("the doorman cannot go on: %s", status_name(status));
	while (doorman.count)
		close(pop(&doorman).fd);
	gateway_free(doorman.parts.gateway);
	free(doorman.kept);
	return status == STATUS_OK ? 0 : 1;
}
