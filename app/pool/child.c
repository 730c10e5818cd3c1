/* A child's setup, by its kind.  Rests on a parent-death signal. */
#include "pool/child.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "pool/admission.h"
#include "pool/report.h"
#include "pool/stopper.h"
#include "pool/worker.h"

static int be_worker(const struct children *children, uint32_t place)
{
	struct worker_setup setup = {
		.config = children->config,
		.tools = children->tools,
		.listen_fd = children->sockets.listen_fd,
		.queue = children->queue,
		.silent = children->master.plan.wanted[CHILD_ADMISSION] ? children->silent : NULL,
		.closing = &children->scoreboard->closing,
		.limit = children->limit,
		.holder = place,
		.models = children->models,
		.broadcast = children->broadcast,
		.throttle = children->throttle,
		.scoreboard = children->scoreboard,
		.watcher = children->watcher,
		.slot = &children->scoreboard->slots[place],
		.counters = counter_table_take(children->counters, place),
		.stop = &children->signals->stop,
	};

	return worker_run(&setup);
}

static int be_admission(const struct children *children, uint32_t place)
{
	struct admission_setup setup = {
		.config = children->config,
		.listen_fd = children->sockets.listen_fd,
		.queue = children->queue,
		.silent = children->silent,
		.limit = children->limit,
		.holder = place,
		.scoreboard = children->scoreboard,
		.bell = children->bell,
		.alarm = children->alarm,
		.slot = &children->scoreboard->slots[place],
		.counters = counter_table_take(children->counters, place),
		.stop = &children->signals->stop,
		.master = getppid(),
		.kept = children->sockets.kept,
	};

	return admission_run(&setup);
}

/* Of the status process: what it only looks at. */
static void let_go(const void *shown)
{
	const struct children *children = shown;

	close(children->sockets.listen_fd);
	queue_close(children->queue);
	queue_close(children->silent);
}

static int be_status(const struct children *children, uint32_t place)
{
	struct worker_setup setup = {
		.config = children->config,
		.tools = children->tools,
		.duty = HTTP_HEALTH,
		.listen_fd = children->sockets.status_fd,
		.door = &children->sockets.file,
		.show = report_show,
		.shown = children,
		.let_go = let_go,
		.limit = children->limit,
		.holder = place,
		.slot = &children->scoreboard->slots[place],
		.counters = counter_table_take(children->counters, place),
		.stop = &children->signals->stop,
	};

	return worker_run(&setup);
}

static int be_stopper(const struct children *children, uint32_t place)
{
	struct stopper_setup setup = {
		.config = children->config,
		.throttle = children->throttle,
		.holder = place,
		.scoreboard = children->scoreboard,
		.watcher = children->watcher,
		.bell = children->bell,
		.slot = &children->scoreboard->slots[place],
		.counters = counter_table_take(children->counters, place),
		.stop = &children->signals->stop,
		.master = getppid(),
	};

	close(children->sockets.listen_fd);
	queue_close(children->queue);
	return stopper_run(&setup);
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

/*
 * What it listens on for others would keep web servers waiting once the master is no more. What the
 * status process shows of others it keeps until it is told to end (let_go).
 */
static void keep_its_own(const struct children *children, enum child_kind kind)
{
	const struct children_sockets *sockets = &children->sockets;

	close_one(sockets->control_fd);
	close_one(sockets->tell_fd);
	if (kind != CHILD_STATUS)
		close_one(sockets->status_fd);
	if (kind != CHILD_ADMISSION && kind != CHILD_STOPPER)
		close_one(children->bell);
	if (kind != CHILD_ADMISSION)
		close_one(children->alarm);
	if (kind != CHILD_WORKER && kind != CHILD_STOPPER)
		close_one(children->watcher);
}

/*
 * What it has goes with it. The handlers of exit() would take each page they write on from those that
 * all children share, some 190: a pool of a thousand would need ten seconds to end.
 */
static noreturn void end(int code)
{
	if (SANITIZER)
		exit(code);
	_exit(code);
}

noreturn void child_run(const struct children *children, enum child_kind kind, uint32_t place,
			pid_t master)
{
	static const struct {
		const char *name; /* as ps -o comm shows it: 15 characters */
		int (*be)(const struct children *children, uint32_t place);
	} kinds[CHILD_KINDS] = {
		[CHILD_WORKER] = { "banter-worker", be_worker },
		[CHILD_ADMISSION] = { "banter-admit", be_admission },
		[CHILD_STATUS] = { "banter-status", be_status },
		[CHILD_STOPPER] = { "banter-stopper", be_stopper },
	};

	signals_child();
	prctl(PR_SET_NAME, kinds[kind].name);
	keep_its_own(children, kind);
	/* A master that is killed takes its children with it; one that is gone sends no signal. */
	prctl(PR_SET_PDEATHSIG, signals_number(WAIT_DRAIN));
	if (getppid() != master)
		_exit(0);
	end(kinds[kind].be(children, place));
}
