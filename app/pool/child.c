/* A child's setup, by its kind.  Rests on a parent-death signal. */
#include "pool/child.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "pool/doorman.h"
#include "pool/worker.h"

static int be_worker(const struct crew *crew, uint32_t place)
{
	struct worker_setup setup = {
		.config = crew->config,
		.listen_fd = crew->sockets.listen_fd,
		.line = crew->line,
		.closing = &crew->scoreboard->closing,
		.limit = crew->limit,
		.holder = place,
		.slot = &crew->scoreboard->slots[place],
		.stop = &crew->signals->stop,
	};

	return worker_run(&setup);
}

static int be_doorman(const struct crew *crew, uint32_t place)
{
	struct doorman_setup setup = {
		.config = crew->config,
		.listen_fd = crew->sockets.listen_fd,
		.line = crew->line,
		.limit = crew->limit,
		.holder = place,
		.scoreboard = crew->scoreboard,
		.slot = &crew->scoreboard->slots[place],
		.stop = &crew->signals->stop,
		.master = getppid(),
	};

	return doorman_run(&setup);
}

static int be_status(const struct crew *crew, uint32_t place)
{
	struct worker_setup setup = {
		.config = crew->config,
		.duty = HTTP_HEALTH,
		.listen_fd = crew->sockets.status_fd,
		.limit = crew->limit,
		.holder = place,
		.slot = &crew->scoreboard->slots[place],
		.stop = &crew->signals->stop,
	};

	return worker_run(&setup);
}

noreturn void child_run(const struct crew *crew, enum crew_kind kind, uint32_t place, pid_t master)
{
	static const struct {
		const char *name; /* as ps -o comm shows it: 15 characters */
		int (*be)(const struct crew *crew, uint32_t place);
	} kinds[CREW_KINDS] = {
		[CREW_WORKER] = { "banter-worker", be_worker },
		[CREW_DOORMAN] = { "banter-doorman", be_doorman },
		[CREW_STATUS] = { "banter-status", be_status },
	};

	signals_child();
	prctl(PR_SET_NAME, kinds[kind].name);
	/* A master that is killed takes its children with it; one that is gone sends no signal. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master)
		_exit(0);
	exit(kinds[kind].be(crew, place)); /* not _exit: a leak checker reports at exit */
}
