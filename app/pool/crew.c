/*
 * The children's births and deaths.  Rests on fork(2) and waitpid(2); what a child does is child.c.
 */
#include "pool/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pool/child.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS 30000
#define YOUNG_MS 10000 /* who dies before this age may well die again at once */
/* Beyond its own time, before a worker is killed: to store its end (chat/turn) and say it. */
#define GRACE_MS 20000

static const char *const names[CREW_KINDS] = {
	[CREW_WORKER] = "worker",
	[CREW_DOORMAN] = "doorman",
	[CREW_STATUS] = "status process",
};

enum status crew_init(struct crew *crew, const struct config *config,
		      const struct crew_sockets *sockets, struct signals *signals)
{
	uint32_t workers = (uint32_t)config->workers;
	enum status status = STATUS_NOMEM;

	*crew = (struct crew){ .config = config, .sockets = *sockets, .signals = signals };
	crew->places = (workers * 2 > workers + 16 ? workers * 2 : workers + 16) + CREW_OTHERS;
	crew->members = calloc(crew->places, sizeof(*crew->members));
	if (crew->members)
		status = scoreboard_new(crew->places, &crew->scoreboard);
	if (status == STATUS_OK)
		status = limit_open_table(NULL, crew->places, &crew->limit);
	if (status == STATUS_OK)
		status = line_new(&crew->line);
	if (status != STATUS_OK)
		crew_clear(crew);
	return status;
}

void crew_clear(struct crew *crew)
{
	line_free(crew->line);
	limit_close_table(crew->limit);
	scoreboard_free(crew->scoreboard);
	free(crew->members);
	*crew = (struct crew){ 0 };
}

uint32_t crew_living(const struct crew *crew)
{
	uint32_t living = 0;
	int kind;

	for (kind = 0; kind < CREW_KINDS; kind++)
		living += crew_count(crew, kind).living;
	return living;
}

struct crew_count crew_count(const struct crew *crew, enum crew_kind kind)
{
	struct crew_count count = { 0 };
	const struct crew_member *member;
	uint32_t i;

	for (i = 0; i < crew->places; i++) {
		member = &crew->members[i];
		if (!member->pid || member->kind != kind)
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

static void grow_pause(struct crew_pause *pause, int64_t now)
{
	pause->ms = pause->ms ? pause->ms * 2 : PAUSE_FIRST_MS;
	if (pause->ms > PAUSE_MOST_MS)
		pause->ms = PAUSE_MOST_MS;
	pause->start_at = now + pause->ms;
}

static void reset_slot(struct scoreboard_slot *slot, const struct crew_member *member)
{
	stage_set(&slot->stage, STAGE_STARTING);
	slot->kind = member->kind;
	slot->born = member->born;
	slot->generation = member->generation;
	atomic_store(&slot->requests, 0);
	atomic_store(&slot->exchanges, 0);
	atomic_store(&slot->tokens, 0);
	atomic_store(&slot->pid, member->pid);
}

static int64_t longest(const struct config *config)
{
	int64_t exchange_ms =
		config->exchange_ms > config->json_ms ? config->exchange_ms : config->json_ms;

	return config->request_ms + exchange_ms;
}

bool crew_start(struct crew *crew, enum crew_kind kind, int64_t now)
{
	struct crew_pause *pause = &crew->pauses[kind];
	struct crew_member *member;
	pid_t master = getpid(), pid;
	uint32_t place = 0;

	/* Retired ones may be many, and for long: the doorman finds a place all the same. */
	if (kind == CREW_WORKER && crew_count(crew, kind).living >= crew->places - CREW_OTHERS)
		return false;
	while (place < crew->places && crew->members[place].pid)
		place++;
	if (now < pause->start_at || place == crew->places)
		return false;
	member = &crew->members[place];
	*member = (struct crew_member){
		.kind = kind,
		.born = now,
		.generation = crew->generation,
		.drain_ms = crew->config->drain_ms,
		.longest_ms = longest(crew->config),
		.kill_at = CLOCK_NEVER,
	};
	reset_slot(&crew->scoreboard->slots[place], member);
	pid = fork(); /* all signals are blocked: the child takes none for the master */
	if (pid == 0)
		child_run(crew, kind, place, master);
	if (pid < 0) {
		grow_pause(pause, now);
		log_error("a %s cannot be started: %s; the next try is in %.1f s", names[kind],
			  strerror(errno), (double)pause->ms / 1000);
		return false;
	}
	member->pid = pid;
	atomic_store(&crew->scoreboard->slots[place].pid, pid);
	return true;
}

static void tell(struct crew_member *member, int number, int64_t kill_at)
{
	member->told = true;
	member->kill_at = kill_at;
	kill(member->pid, number);
}

void crew_retire(struct crew *crew, enum crew_kind kind, int64_t now)
{
	struct crew_member *member;
	uint32_t i;

	for (i = 0; i < crew->places; i++) {
		member = &crew->members[i];
		if (member->pid && member->kind == kind && !member->told &&
		    member->generation != crew->generation) {
			tell(member, SIGUSR2, now + member->longest_ms + GRACE_MS);
			return;
		}
	}
}

void crew_close(struct crew *crew, int64_t now)
{
	struct crew_member *member;
	uint32_t i;

	crew->closing = true;
	atomic_store(&crew->scoreboard->closing, true);
	for (i = 0; i < crew->places; i++) {
		member = &crew->members[i];
		if (member->pid)
			tell(member, SIGTERM, now + member->drain_ms + GRACE_MS);
	}
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
			log_warn("%s %u (pid %d) did not end in its time: it is killed",
				 names[member->kind], i, (int)member->pid);
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

/* After a death that nobody asked for: sets when the next of its kind may start. */
static void pause_after(struct crew_pause *pause, const struct crew_member *member, int64_t now)
{
	if (now - member->born >= YOUNG_MS) {
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

static void bury(struct crew *crew, uint32_t place, int result, int64_t now)
{
	struct scoreboard_slot *slot = &crew->scoreboard->slots[place];
	struct crew_member *member = &crew->members[place];
	struct crew_pause *pause = &crew->pauses[member->kind];
	double age = (double)(now - member->born) / 1000;
	double staged = (double)(now - atomic_load(&slot->stage.since)) / 1000;
	const char *stage = stage_name(atomic_load(&slot->stage.at));
	char cause[96], then[64] = "it was told to end";

	limit_release(crew->limit, place);
	if (WIFEXITED(result) && WEXITSTATUS(result) == 0) {
		log_debug("%s %u (pid %d) ended; age %.1f s", names[member->kind], place,
			  (int)member->pid, age);
		/*
		 * One that ends at once without having served anything must not make us fork
		 * without end.
		 */
		if (!member->told && now - member->born < PAUSE_FIRST_MS &&
		    !atomic_load(&slot->requests) && pause->start_at < now + PAUSE_FIRST_MS)
			pause->start_at = now + PAUSE_FIRST_MS;
	} else {
		cause_of(result, cause, sizeof(cause));
		if (!crew->closing && !member->told) {
			pause_after(pause, member, now);
			snprintf(then, sizeof(then), "a replacement starts in %.1f s",
				 pause->start_at > now ? (double)(pause->start_at - now) / 1000
						       : 0);
		}
		log_error("%s %u (pid %d) died: %s; age %.1f s, stage %s for %.1f s; %s",
			  names[member->kind], place, (int)member->pid, cause, age, stage, staged,
			  then);
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

static void show(const struct crew_member *member, struct scoreboard_slot *slot, uint32_t place,
		 int64_t now)
{
	char served[64] = "";

	if (member->kind == CREW_WORKER)
		snprintf(served, sizeof(served), ", %llu exchanges, %llu tokens",
			 (unsigned long long)atomic_load(&slot->exchanges),
			 (unsigned long long)atomic_load(&slot->tokens));
	log_info("%s %u (pid %d): %s for %.1f s; age %.1f s, generation %u%s; %llu requests%s",
		 names[member->kind], place, (int)member->pid,
		 stage_name(atomic_load(&slot->stage.at)),
		 (double)(now - atomic_load(&slot->stage.since)) / 1000,
		 (double)(now - member->born) / 1000, member->generation,
		 member->told ? ", draining" : "", (unsigned long long)atomic_load(&slot->requests),
		 served);
}

void crew_show(const struct crew *crew, int64_t now)
{
	uint32_t i;

	for (i = 0; i < crew->places; i++)
		if (crew->members[i].pid)
			show(&crew->members[i], &crew->scoreboard->slots[i], i, now);
}
