/* The workers' births and deaths.  Rests on fork(2), waitpid(2), and a parent-death signal. */
#include "pool/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pool/worker.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS 30000
#define YOUNG_MS 10000 /* who dies before this age may well die again at once */
#define GRACE_MS 10000 /* beyond its own drain time, before a worker is killed */

enum status crew_init(struct crew *crew, const struct config *config, int listen_fd,
		      struct signals *signals)
{
	uint32_t workers = (uint32_t)config->workers;
	enum status status = STATUS_NOMEM;

	*crew = (struct crew){ .config = config, .listen_fd = listen_fd, .signals = signals };
	crew->places = workers * 2 > workers + 16 ? workers * 2 : workers + 16;
	crew->members = calloc(crew->places, sizeof(*crew->members));
	if (crew->members)
		status = scoreboard_new(crew->places, &crew->scoreboard);
	if (status == STATUS_OK)
		status = limit_open_table(NULL, crew->places, &crew->limit);
	if (status != STATUS_OK)
		crew_clear(crew);
	return status;
}

void crew_clear(struct crew *crew)
{
	limit_close_table(crew->limit);
	scoreboard_free(crew->scoreboard);
	free(crew->members);
	*crew = (struct crew){ 0 };
}

struct crew_count crew_count(const struct crew *crew)
{
	struct crew_count count = { 0 };
	const struct crew_member *member;
	uint32_t i;

	for (i = 0; i < crew->places; i++) {
		member = &crew->members[i];
		if (!member->pid)
			continue;
		count.living++;
		if (member->told)
			continue;
		if (member->generation != crew->generation) {
			count.old++;
			continue;
		}
		count.fresh++;
		if (atomic_load(&crew->scoreboard->slots[i].stage.at) == STAGE_STARTING)
			count.starting++;
	}
	return count;
}

/* In the child: never returns. */
static void be_worker(const struct crew *crew, uint32_t place, pid_t master)
{
	struct worker_setup setup = {
		.config = crew->config,
		.listen_fd = crew->listen_fd,
		.limit = crew->limit,
		.holder = place,
		.slot = &crew->scoreboard->slots[place],
		.stop = &crew->signals->stop,
	};

	signals_child();
	/*
	 * A master that is killed takes its workers with it; one that is gone already sends no
	 * signal.
	 */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master)
		_exit(0);
	exit(worker_run(&setup)); /* not _exit: a leak checker reports at exit */
}

static void grow_pause(struct crew *crew, int64_t now)
{
	crew->pause_ms = crew->pause_ms ? crew->pause_ms * 2 : PAUSE_FIRST_MS;
	if (crew->pause_ms > PAUSE_MOST_MS)
		crew->pause_ms = PAUSE_MOST_MS;
	crew->start_at = now + crew->pause_ms;
}

static void reset_slot(struct scoreboard_slot *slot, const struct crew_member *member)
{
	stage_set(&slot->stage, STAGE_STARTING);
	slot->born = member->born;
	slot->generation = member->generation;
	atomic_store(&slot->requests, 0);
	atomic_store(&slot->exchanges, 0);
	atomic_store(&slot->tokens, 0);
	atomic_store(&slot->pid, member->pid);
}

bool crew_start(struct crew *crew, int64_t now)
{
	struct crew_member *member;
	pid_t master = getpid(), pid;
	uint32_t place = 0;

	while (place < crew->places && crew->members[place].pid)
		place++;
	if (now < crew->start_at || place == crew->places)
		return false;
	member = &crew->members[place];
	*member = (struct crew_member){
		.born = now,
		.generation = crew->generation,
		.drain_ms = crew->config->drain_ms,
		.kill_at = CLOCK_NEVER,
	};
	reset_slot(&crew->scoreboard->slots[place], member);
	pid = fork(); /* all signals are blocked: the child takes none for the master */
	if (pid == 0)
		be_worker(crew, place, master);
	if (pid < 0) {
		grow_pause(crew, now);
		log_error("a worker cannot be started: %s; the next try is in %.1f s",
			  strerror(errno), (double)crew->pause_ms / 1000);
		return false;
	}
	member->pid = pid;
	atomic_store(&crew->scoreboard->slots[place].pid, pid);
	return true;
}

static void tell(struct crew_member *member, int64_t now)
{
	if (!member->pid || member->told)
		return;
	member->told = true;
	member->kill_at = now + member->drain_ms + GRACE_MS;
	kill(member->pid, SIGTERM);
}

void crew_retire(struct crew *crew, int64_t now)
{
	struct crew_member *member;
	uint32_t i;

	for (i = 0; i < crew->places; i++) {
		member = &crew->members[i];
		if (member->pid && !member->told && member->generation != crew->generation) {
			tell(member, now);
			return;
		}
	}
}

void crew_close(struct crew *crew, int64_t now)
{
	uint32_t i;

	crew->closing = true;
	for (i = 0; i < crew->places; i++)
		tell(&crew->members[i], now);
}

int64_t crew_kill_late(struct crew *crew, int64_t now)
{
	int64_t next = CLOCK_NEVER;
	struct crew_member *member;
	uint32_t i;

	for (i = 0; i < crew->places; i++) {
		member = &crew->members[i];
		if (!member->pid || !member->told)
			continue;
		if (now >= member->kill_at) {
			log_warn("worker %u (pid %d) did not end in its time: it is killed", i,
				 (int)member->pid);
			kill(member->pid, SIGKILL);
			member->kill_at = CLOCK_NEVER;
		}
		next = clock_earlier(next, member->kill_at);
	}
	return next;
}

void crew_kill(struct crew *crew)
{
	uint32_t i;

	for (i = 0; i < crew->places; i++) {
		if (!crew->members[i].pid)
			continue;
		kill(crew->members[i].pid, SIGKILL);
		crew->members[i].kill_at = CLOCK_NEVER;
	}
}

/* After a death that nobody asked for: sets when the next worker may start. */
static void pause_after(struct crew *crew, const struct crew_member *member, int64_t now)
{
	if (now - member->born >= YOUNG_MS) {
		crew->pause_ms = 0;
		grow_pause(crew, now);
	} else if (now >= crew->start_at) {
		/*
		 * Many that die of one cause at one time make it grow once: the others wait with
		 * the first.
		 */
		grow_pause(crew, now);
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

static void bury(struct crew *crew, uint32_t place, int result, int64_t now)
{
	struct scoreboard_slot *slot = &crew->scoreboard->slots[place];
	struct crew_member *member = &crew->members[place];
	double age = (double)(now - member->born) / 1000;
	double staged = (double)(now - atomic_load(&slot->stage.since)) / 1000;
	const char *stage = stage_name(atomic_load(&slot->stage.at));
	char cause[96], then[64] = "it was told to end";

	limit_release(crew->limit, place);
	if (WIFEXITED(result) && WEXITSTATUS(result) == 0) {
		log_debug("worker %u (pid %d) ended; age %.1f s", place, (int)member->pid, age);
		/*
		 * One that ends at once without having served anything must not make us fork
		 * without end.
		 */
		if (!member->told && now - member->born < PAUSE_FIRST_MS &&
		    !atomic_load(&slot->requests) && crew->start_at < now + PAUSE_FIRST_MS)
			crew->start_at = now + PAUSE_FIRST_MS;
	} else {
		cause_of(result, cause, sizeof(cause));
		if (!crew->closing && !member->told) {
			pause_after(crew, member, now);
			snprintf(then, sizeof(then), "a replacement starts in %.1f s",
				 crew->start_at > now ? (double)(crew->start_at - now) / 1000 : 0);
		}
		log_error("worker %u (pid %d) died: %s; age %.1f s, stage %s for %.1f s; %s", place,
			  (int)member->pid, cause, age, stage, staged, then);
	}
	atomic_store(&slot->pid, 0);
	*member = (struct crew_member){ 0 };
}

void crew_reap(struct crew *crew, int64_t now)
{
	int result;
	uint32_t i;
	pid_t pid;

	/* Also those that are none of ours: as process 1 of a container we inherit orphans. */
	while ((pid = waitpid(-1, &result, WNOHANG)) > 0)
		for (i = 0; i < crew->places; i++)
			if (crew->members[i].pid == pid) {
				bury(crew, i, result, now);
				break;
			}
}

void crew_show(const struct crew *crew, int64_t now)
{
	const struct crew_member *member;
	struct scoreboard_slot *slot;
	uint32_t i;

	for (i = 0; i < crew->places; i++) {
		member = &crew->members[i];
		slot = &crew->scoreboard->slots[i];
		if (!member->pid)
			continue;
		log_info("worker %u (pid %d): %s for %.1f s; age %.1f s, generation %u%s; %llu "
			 "requests, "
			 "%llu exchanges, %llu tokens",
			 i, (int)member->pid, stage_name(atomic_load(&slot->stage.at)),
			 (double)(now - atomic_load(&slot->stage.since)) / 1000,
			 (double)(now - member->born) / 1000, member->generation,
			 member->told ? ", draining" : "",
			 (unsigned long long)atomic_load(&slot->requests),
			 (unsigned long long)atomic_load(&slot->exchanges),
			 (unsigned long long)atomic_load(&slot->tokens));
	}
}
