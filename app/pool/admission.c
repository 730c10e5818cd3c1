/*
 * The loop of admission.  That it is not woken while a worker is idle rests on the kernel's order: an
 * exclusive wait wakes whoever has watched the longest, and we stand back to the end whenever we
 * find ourselves before an idle worker.  Where that does not hold, it costs time, not truth.  A
 * waking that is lost with a worker that died of it is made good by the master, who rings then.
 */
#include "pool/admission.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"
#include "edge/gateway.h"
#include "edge/lingering.h"
#include "edge/silent.h"
#include "http/serve.h"

#define LOOK_MS 25     /* whom a worker takes within this time needs nobody between */
#define LOOK_IDLE_MS 5 /* the same, where a worker seems to be idle */
#define ROUND 256      /* connections taken before we look at the clock again */
/* Descriptors that are not connections we hold. */
#define SPARE (64 + LINGERING_MAX)
#define FOREVER_MS (INT64_MAX / 4)

struct admission {
	const struct admission_setup *setup;
	struct wait wait;
	struct http_context context;
	/* Whom the queue has no room for, a ring: they came after all that are in the queue. */
	struct queue_entry *kept;
	uint32_t size, first, count;
	struct silent silent;	    /* their time to wait for a worker has not begun */
	struct lingering lingering; /* whom we told before they had sent all */
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

static enum status open_context(struct admission *admission)
{
	const struct admission_setup *setup = admission->setup;
	struct wait *wait = &admission->wait;
	enum status status;

	wait_init(wait);
	lingering_init(&admission->lingering);
	wait->stop = setup->stop;
	wait->drain_ms = FOREVER_MS; /* what is left to do then, this file says */
	wait->stage = &setup->slot->stage;
	wait->counters = &setup->counters;
	admission->context = (struct http_context){
		.duty = HTTP_REFUSE,
		.config = setup->config,
		.wait = wait,
		.limit = setup->limit,
		.holder = setup->holder,
	};
	admission->size = most_kept(setup->config->backlog);
	admission->kept = calloc(admission->size, sizeof(*admission->kept));
	if (!admission->kept || silent_init(&admission->silent, admission->size))
		return STATUS_NOMEM;
	status = gateway_new(setup->listen_fd, false, 0, 0, &admission->context.gateway);
	if (status == STATUS_OK)
		status = gateway_heed(admission->context.gateway, setup->alarm);
	return status ? status : gateway_admit(admission->context.gateway, setup->silent);
}

/* The next of those that are kept. */
static struct queue_entry pop(struct admission *admission)
{
	struct queue_entry entry = admission->kept[admission->first];

	admission->first = (admission->first + 1) % admission->size;
	admission->count--;
	return entry;
}

/* What of its request has not arrived by now is not waited for, but read when it comes. */
static void refuse(struct admission *admission, int fd)
{
	const struct admission_setup *setup = admission->setup;
	struct http_context *context = &admission->context;

	if (gateway_open(context->gateway, &admission->wait, fd))
		return;
	http_serve(context);
	fd = gateway_finish_early(context->gateway, &admission->wait);
	if (fd >= 0)
		lingering_add(&admission->lingering, fd, clock_ms() + setup->config->request_ms);
}

/* Since when one waits who has waited too long. */
static int64_t too_late(const struct admission *admission, int64_t now)
{
	int64_t queue_ms = admission->setup->config->queue_ms;

	return queue_ms ? now - queue_ms : INT64_MIN;
}

/* All that wait since `latest` or longer, oldest first. STATUS_NOMEM: no descriptor is free. */
static enum status refuse_late(struct admission *admission, int64_t latest)
{
	enum status status = STATUS_OK;
	struct queue_entry entry;

	while (status == STATUS_OK) {
		status = queue_take_late(admission->setup->queue, latest, &entry);
		if (status == STATUS_OK)
			refuse(admission, entry.fd);
	}
	while (admission->count && admission->kept[admission->first].since <= latest)
		refuse(admission, pop(admission).fd);
	return status == STATUS_CLOSED ? STATUS_OK : status;
}

static void pass_on(struct admission *admission)
{
	while (admission->count &&
	       queue_put(admission->setup->queue, &admission->kept[admission->first]) == STATUS_OK)
		pop(admission);
}

static void hold(struct admission *admission, int fd)
{
	struct queue_entry entry = { fd, clock_ms() };

	if (!admission->count && queue_put(admission->setup->queue, &entry) == STATUS_OK)
		return;
	if (admission->count < admission->size)
		admission->kept[(admission->first + admission->count++) % admission->size] = entry;
	else
		refuse(admission, fd);
}

/* Whoever has something to say waits for a worker; the others wait here until they have. */
static void let_wait(struct admission *admission, int fd)
{
	enum status said = silent_look(fd);

	if (said == STATUS_OK)
		hold(admission, fd);
	else if (said == STATUS_CLOSED)
		close(fd);
	else
		silent_add(&admission->silent, fd,
			   clock_ms() + admission->setup->config->request_ms);
}

/* Those whom workers found silent, and those of all the silent who spoke. */
static void hear_silent(struct admission *admission, int64_t now)
{
	struct queue_entry entry;
	int spoke[ROUND];
	uint32_t i, count;

	while (queue_take(admission->setup->silent, &entry) == STATUS_OK)
		let_wait(admission, entry.fd);
	count = silent_take(&admission->silent, now, ROUND, spoke);
	for (i = 0; i < count; i++)
		hold(admission, spoke[i]);
}

/* We end: whoever follows, a worker or another of us, waits for them. */
static void leave_silent(struct admission *admission)
{
	struct silent *silent = &admission->silent;
	uint32_t i;

	hear_silent(admission, clock_ms());
	for (i = 0; i < silent->count; i++)
		hold(admission, silent->all[i].fd);
	silent->count = 0;
}

static bool stopped(const struct admission *admission)
{
	return *admission->setup->stop;
}

/* Whether nobody will take those in the queue: the workers end too, or their master is gone. */
static bool all_end(const struct admission *admission)
{
	const struct scoreboard *scoreboard = admission->setup->scoreboard;

	return stopped(admission) &&
	       (atomic_load(&scoreboard->closing) ||
		(getppid() != admission->setup->master && !atomic_load(&scoreboard->followed)));
}

/* Waits for a moment; connections do not shorten it. */
static void pause_for(struct admission *admission, int64_t ms)
{
	enum status status = wait_some(&admission->wait, clock_ms() + ms);

	(void)status;
}

/* Where nobody is refused, those beyond what we can keep stay in the backlog. */
static bool has_room(const struct admission *admission)
{
	return admission->setup->config->queue_ms || admission->count < admission->size;
}

/* Whether more workers may be made for those who wait, if none is idle: the master sees to that. */
static bool grows(const struct admission *admission)
{
	return atomic_load(&admission->setup->scoreboard->grows);
}

static void ring(const struct admission *admission)
{
	if (grows(admission) && queue_since(admission->setup->queue) != CLOCK_NEVER)
		bell_ring(admission->setup->bell, 1);
}

/*
 * Whoever waits in the backlog goes into the queue, where it wakes a worker. Where no descriptor is
 * free, whom we keep longest makes room.
 */
static enum status take_in(struct admission *admission)
{
	enum status status = STATUS_OK;
	int fd, taken;

	for (taken = 0; taken < ROUND && status == STATUS_OK && has_room(admission); taken++) {
		status = gateway_take(admission->context.gateway, &fd);
		if (status == STATUS_OK) {
			let_wait(admission, fd);
		} else if (status == STATUS_NOMEM && silent_drop(&admission->silent)) {
			status = STATUS_OK;
		} else if (status == STATUS_NOMEM && admission->count) {
			refuse(admission, pop(admission).fd);
			status = STATUS_OK;
		}
	}
	ring(admission);
	return status == STATUS_CLOSED ? STATUS_OK : status;
}

/* A connection waits, and the kernel found no worker to wake; or one that it woke died. */
static enum status let_in(struct admission *admission)
{
	const struct scoreboard *scoreboard = admission->setup->scoreboard;
	enum status status = STATUS_OK;

	if (scoreboard_idle(scoreboard)) { /* the kernel woke us in its place */
		status = gateway_stand_back(admission->context.gateway);
		pause_for(admission, LOOK_IDLE_MS);
	} else if (!grows(admission)) {
		pause_for(admission, LOOK_MS);
	}
	return status ? status : take_in(admission);
}

/* When there is something to do if no connection comes. */
static int64_t next_look(const struct admission *admission, int64_t now)
{
	int64_t since = queue_since(admission->setup->queue);
	int64_t queue_ms = admission->setup->config->queue_ms;

	stage_set(admission->wait.stage,
		  since == CLOCK_NEVER && !admission->count && !admission->silent.count
			  ? STAGE_IDLE
			  : STAGE_HOLD);
	if (admission->count || admission->silent.count || admission->lingering.count)
		return now + LOOK_MS; /* the queue may have room again; more may have come */
	if (since != CLOCK_NEVER && grows(admission))
		return now + LOOK_MS; /* who seemed idle may have taken another */
	if (since == CLOCK_NEVER || !queue_ms)
		return CLOCK_NEVER;
	return since + queue_ms > now ? since + queue_ms : now + LOOK_MS;
}

/* Whoever was let in is a worker's yet, for as long as anybody may wait. */
static enum status see_off(struct admission *admission)
{
	const struct admission_setup *setup = admission->setup;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && *setup->stop != WAIT_NOW && getppid() == setup->master &&
	       scoreboard_worked(setup->scoreboard) &&
	       (admission->count || queue_since(setup->queue) != CLOCK_NEVER)) {
		status = refuse_late(admission, too_late(admission, clock_ms()));
		pass_on(admission);
		pause_for(admission, LOOK_MS);
	}
	return status;
}

/* The same on a socket that nobody follows on: the requests of the last ones may just be arriving. */
static enum status take_last(struct admission *admission)
{
	enum status status;
	int fd;

	while ((status = gateway_take(admission->context.gateway, &fd)) == STATUS_OK)
		hold(admission, fd);
	gateway_leave(admission->context.gateway);
	close(admission->setup->listen_fd); /* another pool may want its address now */
	pause_for(admission, LOOK_MS);
	return status == STATUS_CLOSED ? STATUS_OK : status;
}

static enum status stand(struct admission *admission)
{
	struct gateway *gateway = admission->context.gateway;
	enum status status = STATUS_OK;
	int64_t now;

	while (status == STATUS_OK && (!stopped(admission) || admission->count)) {
		now = clock_ms();
		hear_silent(admission, now);
		status = refuse_late(admission, too_late(admission, now));
		pass_on(admission);
		lingering_look(&admission->lingering, now);
		if (status || all_end(admission))
			break;
		status = gateway_watch(gateway, &admission->wait, next_look(admission, now));
		if (status == STATUS_OK)
			status = let_in(admission);
		else if (status == STATUS_TIMEOUT)
			status = take_in(admission);
		else if (status == STATUS_STOPPED)
			pause_for(admission, LOOK_MS);
		if (status == STATUS_STOPPED || status == STATUS_CLOSED)
			status = STATUS_OK;
	}
	leave_silent(admission);
	if (status == STATUS_OK && all_end(admission))
		status = admission->setup->kept ? see_off(admission) : take_last(admission);
	if (all_end(admission)) {
		status = refuse_late(admission, CLOCK_NEVER);
	} else if (status == STATUS_OK) {
		/* Whose waking was ours must not wait for the next one's; who came last may not have spoken yet. */
		status = take_in(admission);
		leave_silent(admission);
	}
	pass_on(admission);
	return status;
}

int admission_run(const struct admission_setup *setup)
{
	struct admission admission = { .setup = setup };
	enum status status = open_context(&admission);

	if (status == STATUS_OK)
		status = stand(&admission);
	if (status)
		log_error("the admission process cannot go on: %s", status_name(status));
	while (admission.count)
		close(pop(&admission).fd);
	silent_clear(&admission.silent);
	lingering_clear(&admission.lingering);
	gateway_free(admission.context.gateway);
	free(admission.kept);
	return status == STATUS_OK ? 0 : 1;
}
