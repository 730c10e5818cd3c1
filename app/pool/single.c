/* A worker without a master.  Rests on the shared limits' file form. */
#include "pool/single.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "chat/limit.h"
#include "pool/scoreboard.h"
#include "pool/worker.h"

#define MOST 1024 /* such workers of one user that hold open exchanges; part of the file's layout */

static enum status open_shared(const struct config *config, struct limit **limit)
{
	const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char path[64];

	if (*config->shared_file)
		return limit_open_table(config->shared_file, MOST, limit);
	snprintf(path, sizeof(path), "%s/banter-%u", folder, (unsigned)geteuid());
	return limit_open_table(path, MOST, limit);
}

int single_run(const struct config *config, int listen_fd, const struct signals *signals)
{
	struct worker_setup setup = {
		.config = config,
		.listen_fd = listen_fd,
		.caller_pool = true,
		.stop = &signals->stop,
	};
	struct scoreboard *scoreboard = NULL;
	enum status status;
	int code = 1;

	status = open_shared(config, &setup.limit);
	if (status == STATUS_NOMEM)
		log_error("no memory for the shared limits");
	if (status != STATUS_OK)
		goto out;
	if (limit_take_holder(setup.limit, &setup.holder) != STATUS_OK) {
		log_error("%d workers run already: no place in the shared limits is free", MOST);
		goto out;
	}
	if (scoreboard_new(1, &scoreboard) != STATUS_OK) {
		log_error("no memory for the scoreboard");
		goto out;
	}
	setup.slot = &scoreboard->slots[0];
	setup.slot->born = clock_ms();
	stage_set(&setup.slot->stage, STAGE_STARTING);
	atomic_store(&setup.slot->pid, getpid());
	code = worker_run(&setup);
	limit_release(setup.limit, setup.holder);
out:
	scoreboard_free(scoreboard);
	limit_close_table(setup.limit);
	return code;
}
