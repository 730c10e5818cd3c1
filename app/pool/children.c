/*
 * The children's births and deaths.  Rests on fork(2) and waitpid(2); what a child does is child.c's,
 * when it is born and ends, master.c's.
 */
#include "pool/children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/shared_memory.h"
#include "chat/breaker.h"
#include "chat/limit_file.h"
#include "pool/child.h"
#include "pool/death.h"

static const char *const names[CHILD_KINDS] = {
	[CHILD_WORKER] = "worker",
	[CHILD_ADMISSION] = "admission process",
	[CHILD_STATUS] = "status process",
	[CHILD_STOPPER] = "stopper",
};

const char *children_kind_name(enum child_kind kind)
{
	return names[kind];
}

/* Shared: else each child would keep its own of what the master writes there after it. */
static enum status open_table(struct children *children, const struct master_plan *plan)
{
	struct master_child *places;

	children->places = master_places(plan->most);
	children->all = shared_memory_new(children->places * sizeof(*children->all));
	places = shared_memory_new(children->places * sizeof(*places));
	master_init(&children->master, places, children->places, plan);
	return children->all && places ? STATUS_OK : STATUS_NOMEM;
}

/* Of the master's alone. */
static void close_table(struct children *children)
{
	struct master *master = &children->master;

	if (children->all)
		shared_memory_free(children->all, children->places * sizeof(*children->all));
	if (master->all)
		shared_memory_free(master->all, children->places * sizeof(*master->all));
	children->all = NULL;
	master->all = NULL;
}

enum status children_init(struct children *children, const struct config *config,
			  const struct master_plan *plan, const struct children_sockets *sockets,
			  struct signals *signals)
{
	enum status status;

	*children = (struct children){ .config = config,
				       .sockets = *sockets,
				       .signals = signals,
				       .bell = -1,
				       .alarm = -1,
				       .watcher = -1 };
	status = open_table(children, plan);
	if (status == STATUS_OK)
		status = bell_new(&children->bell);
	if (status == STATUS_OK)
		status = bell_new(&children->alarm);
	if (status == STATUS_OK)
		status = bell_new(&children->watcher);
	if (status == STATUS_OK)
		status = scoreboard_new(children->places, &children->scoreboard);
	if (status == STATUS_OK)
		status = counter_table_open(NULL, children->places + 1, &children->counters, NULL);
	if (status == STATUS_OK)
		status = limit_open(NULL, children->places, &children->limit);
	if (status == STATUS_OK)
		status = model_shared_open(NULL, &children->models, NULL);
	if (status == STATUS_OK)
		status = db_throttle_open(NULL, children->places, &children->throttle, NULL);
	if (status == STATUS_OK)
		status = sockets->queue ? queue_adopt(sockets->queue, &children->queue)
					: queue_new(&children->queue);
	if (status == STATUS_OK)
		status = queue_new(&children->silent);
	if (status != STATUS_OK)
		children_clear(children);
	else if (broadcast_new(children->places, (size_t)config->answer_bytes,
			       &children->broadcast))
		log_info("answers cannot be shared: who attaches to one hears nothing before its "
			 "end");
	return status;
}

void children_clear(struct children *children)
{
	queue_free(children->silent);
	queue_free(children->queue);
	broadcast_free(children->broadcast);
	db_throttle_close(children->throttle);
	model_shared_close(children->models);
	limit_close(children->limit);
	counter_table_close(children->counters);
	scoreboard_free(children->scoreboard);
	bell_free(children->watcher);
	bell_free(children->alarm);
	bell_free(children->bell);
	close_table(children);
	*children = (struct children){ .bell = -1, .alarm = -1, .watcher = -1 };
}

/* Not its counters: they are never set back. */
static void reset_slot(struct scoreboard_slot *slot, enum child_kind kind, uint32_t generation,
		       int64_t now)
{
	stage_set(&slot->stage, STAGE_STARTING);
	stage_request(&slot->stage, STR_NONE);
	slot->kind = kind;
	slot->born = now;
	slot->generation = generation;
	atomic_store(&slot->pid, 0);
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

bool children_start(struct children *children, enum child_kind kind, uint32_t place, int64_t now)
{
	struct scoreboard_slot *slot = &children->scoreboard->slots[place];
	struct child *child = &children->all[place];
	pid_t master = getpid(), pid;
	int64_t pause;

	reset_slot(slot, kind, children->master.generation, now);
	remember_counted(child, counter_table_slot(children->counters, place));
	/* The connection of the start is one worker's, the first one's, and nobody else's. */
	if (kind != CHILD_WORKER)
		db_discard(children->tools->db);
	pid = fork(); /* all signals are blocked: the child takes none for the master */
	if (pid == 0) {
		close_table(children);
		child_run(children, kind, place, master);
	}
	if (pid < 0) {
		pause = master_unborn(&children->master, kind, now);
		log_error("a %s cannot be started: %s; the next try is in %.1f s", names[kind],
			  strerror(errno), (double)pause / 1000);
		return false;
	}
	child->pid = pid;
	master_born(&children->master, kind, place, now);
	db_discard(children->tools->db);
	atomic_store(&slot->pid, pid);
	return true;
}

void children_say(const struct children *children)
{
	atomic_store(&children->scoreboard->grows, master_grows(&children->master));
}

void children_tell(const struct children *children, uint32_t place, int number)
{
	kill(children->all[place].pid, number);
}

void children_close(struct children *children)
{
	atomic_store(&children->scoreboard->closing, true);
}

/* Whose exchange is to end: it may be waiting for its model, or for its client. */
static void wake_ending(const struct children *children)
{
	uint32_t i;

	for (i = 0; i < children->places; i++)
		if (children->all[i].pid &&
		    running_is_to_end(&children->scoreboard->slots[i].running))
			children_tell(children, i, signals_wake());
}

static void see(struct children *children, uint32_t place)
{
	const struct stage *stage = &children->scoreboard->slots[place].stage;

	master_saw(&children->master, place, (enum stage_at)atomic_load(&stage->at),
		   atomic_load(&stage->since), atomic_load(&stage->steps));
}

void children_look(struct children *children, int64_t now)
{
	struct master *master = &children->master;
	uint32_t i;

	master_look(master, now);
	for (i = 0; i < children->places; i++)
		if (master->all[i].lives)
			see(children, i);
	if (bell_heard(children->bell)) {
		master_waiting(master, queue_count(children->queue));
		wake_ending(children);
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
	const struct master_child *known = &children->master.all[place];
	struct child *child = &children->all[place];
	const char *name = names[known->kind], *stage = stage_name(atomic_load(&slot->stage.at));
	double age = (double)(now - known->born) / 1000;
	double staged = (double)(now - atomic_load(&slot->stage.since)) / 1000;
	bool well = WIFEXITED(result) && WEXITSTATUS(result) == 0;
	char cause[96], then[64] = "it was told to end";
	int64_t pause;

	if (children->master.phase < MASTER_DRAINING) /* then it may be that nobody has any time */
		death_count(counter_table_slot(children->counters, children->places), known->kind,
			    result, known->stuck);
	scoreboard_set_busy(children->scoreboard, slot, false);
	running_over(&slot->running);
	limit_release(children->limit, place);
	broadcast_bury(children->broadcast, place);
	db_throttle_end(children->throttle, place, DB_THROTTLE_FAILED);
	see(children, place); /* whether it came up since the last look */
	pause = master_died(&children->master, place, well,
			    counted_of(children, place, COUNTER_REQUESTS) > 0, now);
	if (pause >= 0)
		snprintf(then, sizeof(then), "a replacement starts in %.1f s",
			 (double)pause / 1000);
	cause_of(result, cause, sizeof(cause));
	if (!well)
		bell_ring(children->alarm, 1);
	if (well)
		log_debug("%s %u (pid %d) ended; age %.1f s", name, place, (int)child->pid, age);
	else
		log_error("%s %u (pid %d) died: %s; age %.1f s, stage %s for %.1f s; %s", name,
			  place, (int)child->pid, cause, age, stage, staged, then);
	atomic_store(&slot->pid, 0);
	child->pid = 0;
}

/* One that was woken for a connection may have been stopped before it took that. */
static void see_stop(struct children *children, uint32_t place, bool stopped)
{
	master_stopped(&children->master, place, stopped);
	if (stopped)
		bell_ring(children->alarm, 1);
}

void children_reap(struct children *children, int64_t now)
{
	int result;
	uint32_t i;
	pid_t pid;

	/* Also those that are none of ours: as process 1 of a container we inherit orphans. */
	while ((pid = waitpid(-1, &result, WNOHANG | WUNTRACED | WCONTINUED)) > 0)
		for (i = 0; i < children->places; i++)
			if (children->all[i].pid == pid) {
				if (WIFEXITED(result) || WIFSIGNALED(result))
					bury(children, i, result, now);
				else
					see_stop(children, i, WIFSTOPPED(result));
				break;
			}
}

static void show(const struct children *children, uint32_t place, int64_t now)
{
	const struct scoreboard_slot *slot = &children->scoreboard->slots[place];
	const struct master_child *child = &children->master.all[place];
	char served[64] = "";

	if (child->kind == CHILD_WORKER)
		snprintf(served, sizeof(served), ", %llu exchanges, %llu tokens",
			 (unsigned long long)counted_of(children, place, COUNTER_EXCHANGES),
			 (unsigned long long)counted_of(children, place, COUNTER_TOKENS));
	log_info("%s %u (pid %d): %s for %.1f s; age %.1f s, generation %u%s; %llu requests%s",
		 names[child->kind], place, (int)children->all[place].pid,
		 stage_name(atomic_load(&slot->stage.at)),
		 (double)(now - atomic_load(&slot->stage.since)) / 1000,
		 (double)(now - child->born) / 1000, child->generation,
		 child->told != TOLD_NOTHING ? ", draining" : "",
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
