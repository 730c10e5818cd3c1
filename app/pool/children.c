/*
 * The children's births and deaths.  Rests on fork(2) and waitpid(2); what a child does is child.c.
 */
#include "pool/children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/shared_memory.h"
#include "chat/breaker.h"
#include "chat/limit_file.h"
#include "pool/child.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS 30000
#define YOUNG_MS 10000 /* who dies before this age may well die again at once */
/* Beyond its own time, before a worker is killed: to store its end (chat/turn) and say it. */
#define GRACE_MS 20000

static const char *const names[CHILD_KINDS] = {
	[CHILD_WORKER] = "worker",
	[CHILD_ADMISSION] = "admission process",
	[CHILD_STATUS] = "status process",
};

enum status children_init(struct children *children, const struct config *config,
			  const struct children_sockets *sockets, struct signals *signals)
{
	uint32_t workers = (uint32_t)config->workers;
	enum status status = STATUS_NOMEM;

	*children = (struct children){ .config = config, .sockets = *sockets, .signals = signals };
	children->places =
		(workers * 2 > workers + 16 ? workers * 2 : workers + 16) + CHILDREN_OTHERS;
	/* Shared: else each child would keep its own of what the master writes there after it. */
	children->all = shared_memory_new(children->places * sizeof(*children->all));
	if (children->all)
		status = scoreboard_new(children->places, &children->scoreboard);
	if (status == STATUS_OK)
		status = counter_table_open(NULL, children->places, &children->counters, NULL);
	if (status == STATUS_OK)
		status = limit_open(NULL, children->places, &children->limit);
	if (status == STATUS_OK)
		status = model_shared_open(NULL, &children->models, NULL);
	if (status == STATUS_OK)
		status = db_throttle_open(NULL, children->places, &children->throttle, NULL);
	if (status == STATUS_OK)
		status = queue_new(&children->queue);
	if (status != STATUS_OK)
		children_clear(children);
	return status;
}

void children_clear(struct children *children)
{
	queue_free(children->queue);
	db_throttle_close(children->throttle);
	model_shared_close(children->models);
	limit_close(children->limit);
	counter_table_close(children->counters);
	scoreboard_free(children->scoreboard);
	shared_memory_free(children->all, children->places * sizeof(*children->all));
	*children = (struct children){ 0 };
}

uint32_t children_living(const struct children *children)
{
	uint32_t living = 0;
	int kind;

	for (kind = 0; kind < CHILD_KINDS; kind++)
		living += children_count(children, kind).living;
	return living;
}

struct children_tally children_count(const struct children *children, enum child_kind kind)
{
	struct children_tally count = { 0 };
	const struct child *child;
	uint32_t i;

	for (i = 0; i < children->places; i++) {
		child = &children->all[i];
		if (!child->pid || child->kind != kind)
			continue;
		count.living++;
		if (child->told)
			continue;
		if (child->generation != children->generation) {
			count.old++;
			continue;
		}
		count.fresh++;
		if (atomic_load(&children->scoreboard->slots[i].stage.at) == STAGE_STARTING)
			count.starting++;
	}
	return count;
}

static void grow_pause(struct children_pause *pause, int64_t now)
{
	pause->ms = pause->ms ? pause->ms * 2 : PAUSE_FIRST_MS;
	if (pause->ms > PAUSE_MOST_MS)
		pause->ms = PAUSE_MOST_MS;
	pause->start_at = now + pause->ms;
}

/* Not its counters: they are never set back. */
static void reset_slot(struct scoreboard_slot *slot, const struct child *child)
{
	stage_set(&slot->stage, STAGE_STARTING);
	slot->kind = child->kind;
	slot->born = child->born;
	slot->generation = child->generation;
	atomic_store(&slot->pid, child->pid);
}

static void remember_counted(struct child *child, const struct counter_slot *counters)
{
	int i;

	for (i = 0; i < COUNTERS; i++)
		child->counted[i] = counter_read(counters, (enum counter)i);
}

/* What the child of that place has counted itself. */
static uint64_t counted_of(const struct children *children, uint32_t place, enum counter counter)
{
	const struct counter_slot *slot = counter_table_slot(children->counters, place);

	return counter_read(slot, counter) - children->all[place].counted[counter];
}

static int64_t longest(const struct config *config)
{
	int64_t exchange_ms =
		config->exchange_ms > config->json_ms ? config->exchange_ms : config->json_ms;

	return config->request_ms + exchange_ms;
}

bool children_start(struct children *children, enum child_kind kind, int64_t now)
{
	struct children_pause *pause = &children->pauses[kind];
	struct child *child;
	pid_t master = getpid(), pid;
	uint32_t place = 0;

	/* Retired ones may be many, and for long: the admission process finds a place all the same. */
	if (kind == CHILD_WORKER &&
	    children_count(children, kind).living >= children->places - CHILDREN_OTHERS)
		return false;
	while (place < children->places && children->all[place].pid)
		place++;
	if (now < pause->start_at || place == children->places)
		return false;
	child = &children->all[place];
	*child = (struct child){
		.kind = kind,
		.born = now,
		.generation = children->generation,
		.drain_ms = children->config->drain_ms,
		.longest_ms = longest(children->config),
		.kill_at = CLOCK_NEVER,
	};
	reset_slot(&children->scoreboard->slots[place], child);
	remember_counted(child, counter_table_slot(children->counters, place));
	/* The connection of the start is one worker's, the first one's, and nobody else's. */
	if (kind != CHILD_WORKER)
		db_discard(children->tools->db);
	pid = fork(); /* all signals are blocked: the child takes none for the master */
	if (pid == 0) {
		shared_memory_free(children->all, children->places * sizeof(*children->all));
		children->all = NULL; /* the master's alone */
		child_run(children, kind, place, master);
	}
	if (pid < 0) {
		grow_pause(pause, now);
		log_error("a %s cannot be started: %s; the next try is in %.1f s", names[kind],
			  strerror(errno), (double)pause->ms / 1000);
		return false;
	}
	child->pid = pid;
	db_discard(children->tools->db);
	atomic_store(&children->scoreboard->slots[place].pid, pid);
	return true;
}

static void tell(struct child *child, int number, int64_t kill_at)
{
	child->told = true;
	child->kill_at = kill_at;
	kill(child->pid, number);
}

void children_retire(struct children *children, enum child_kind kind, int64_t now)
{
	struct child *child;
	uint32_t i;

	for (i = 0; i < children->places; i++) {
		child = &children->all[i];
		if (child->pid && child->kind == kind && !child->told &&
		    child->generation != children->generation) {
			tell(child, SIGUSR2, now + child->longest_ms + GRACE_MS);
			return;
		}
	}
}

void children_close(struct children *children, int64_t now)
{
	struct child *child;
	uint32_t i;

	children->closing = true;
	atomic_store(&children->scoreboard->closing, true);
	for (i = 0; i < children->places; i++) {
		child = &children->all[i];
		if (child->pid)
			tell(child, SIGTERM, now + child->drain_ms + GRACE_MS);
	}
}

int64_t children_kill_late(struct children *children, int64_t now)
{
	int64_t next = CLOCK_NEVER;
	struct child *child;
	uint32_t i;

	for (i = 0; i < children->places; i++) {
		child = &children->all[i];
		if (!child->pid || !child->told)
			continue;
		if (now >= child->kill_at) {
			log_warn("%s %u (pid %d) did not end in its time: it is killed",
				 names[child->kind], i, (int)child->pid);
			kill(child->pid, SIGKILL);
			child->kill_at = CLOCK_NEVER;
		}
		next = clock_earlier(next, child->kill_at);
	}
	return next;
}

void children_kill(struct children *children)
{
	uint32_t i;

	for (i = 0; i < children->places; i++) {
		if (!children->all[i].pid)
			continue;
		kill(children->all[i].pid, SIGKILL);
		children->all[i].kill_at = CLOCK_NEVER;
	}
}

/* After a death that nobody asked for: sets when the next of its kind may start. */
static void pause_after(struct children_pause *pause, const struct child *child, int64_t now)
{
	if (now - child->born >= YOUNG_MS) {
		pause->ms = 0;
		grow_pause(pause, now);
	} else if (now >= pause->start_at) {
		/*
		 * Many that die of one cause at one time make it grow once: the others wait with
		 * the first.
		 */
		grow_pause(pause, now);
	}
}

static void cause_of(int result, char *out, size_t size)
{
	if (WIFSIGNALED(result))
		snprintf(out, size, "killed by signal %d (%s)", WTERMSIG(result),
			 strsignal(WTERMSIG(result)));
	else
		snprintf(out, size, "exited with %d", WEXITSTATUS(result));
}

static void bury(struct children *children, uint32_t place, int result, int64_t now)
{
	struct scoreboard_slot *slot = &children->scoreboard->slots[place];
	struct child *child = &children->all[place];
	struct children_pause *pause = &children->pauses[child->kind];
	double age = (double)(now - child->born) / 1000;
	double staged = (double)(now - atomic_load(&slot->stage.since)) / 1000;
	const char *stage = stage_name(atomic_load(&slot->stage.at));
	char cause[96], then[64] = "it was told to end";

	limit_release(children->limit, place);
	db_throttle_end(children->throttle, place, DB_THROTTLE_FAILED);
	if (WIFEXITED(result) && WEXITSTATUS(result) == 0) {
		log_debug("%s %u (pid %d) ended; age %.1f s", names[child->kind], place,
			  (int)child->pid, age);
		/*
		 * One that ends at once without having served anything must not make us fork
		 * without end.
		 */
		if (!child->told && now - child->born < PAUSE_FIRST_MS &&
		    !counted_of(children, place, COUNTER_REQUESTS) &&
		    pause->start_at < now + PAUSE_FIRST_MS)
			pause->start_at = now + PAUSE_FIRST_MS;
	} else {
		cause_of(result, cause, sizeof(cause));
		if (!children->closing && !child->told) {
			pause_after(pause, child, now);
			snprintf(then, sizeof(then), "a replacement starts in %.1f s",
				 pause->start_at > now ? (double)(pause->start_at - now) / 1000
						       : 0);
		}
		log_error("%s %u (pid %d) died: %s; age %.1f s, stage %s for %.1f s; %s",
			  names[child->kind], place, (int)child->pid, cause, age, stage, staged,
			  then);
	}
	atomic_store(&slot->pid, 0);
	*child = (struct child){ 0 };
}

void children_reap(struct children *children, int64_t now)
{
	int result;
	uint32_t i;
	pid_t pid;

	/* Also those that are none of ours: as process 1 of a container we inherit orphans. */
	while ((pid = waitpid(-1, &result, WNOHANG)) > 0)
		for (i = 0; i < children->places; i++)
			if (children->all[i].pid == pid) {
				bury(children, i, result, now);
				break;
			}
}

static void show(const struct children *children, uint32_t place, int64_t now)
{
	const struct scoreboard_slot *slot = &children->scoreboard->slots[place];
	const struct child *child = &children->all[place];
	char served[64] = "";

	if (child->kind == CHILD_WORKER)
		snprintf(served, sizeof(served), ", %llu exchanges, %llu tokens",
			 (unsigned long long)counted_of(children, place, COUNTER_EXCHANGES),
			 (unsigned long long)counted_of(children, place, COUNTER_TOKENS));
	log_info("%s %u (pid %d): %s for %.1f s; age %.1f s, generation %u%s; %llu requests%s",
		 names[child->kind], place, (int)child->pid,
		 stage_name(atomic_load(&slot->stage.at)),
		 (double)(now - atomic_load(&slot->stage.since)) / 1000,
		 (double)(now - child->born) / 1000, child->generation,
		 child->told ? ", draining" : "",
		 (unsigned long long)counted_of(children, place, COUNTER_REQUESTS), served);
}

void children_show(const struct children *children, int64_t now)
{
	uint32_t i;

	for (i = 0; i < children->places; i++)
		if (children->all[i].pid)
			show(children, i, now);
	breaker_show(children->models, children->config);
}
