/* Which pool is asked.  Rests on edge/control; for ctl/status and ctl/metrics. */
#include "ctl/running.h"

#include <stdint.h>

#include "base/clock.h"
#include "base/count.h"
#include "cli/call.h"
#include "edge/control.h"

#define ANSWER_MS 5000
#define LISTEN_MS 2000
#define ADDRESS_CAP 8192
#define POOLS 64 /* of one machine */

static int show(pid_t pid, const char *word, struct buf *out)
{
	switch (control_show(pid, word, clock_ms() + ANSWER_MS, out)) {
	case STATUS_OK:
		return CLI_DONE;
	case STATUS_UNAVAILABLE:
		return cli_say(CLI_FAILED, "process %d is no pool of this version of banter.fcgi",
			       (int)pid);
	case STATUS_CLOSED:
		return cli_say(CLI_FAILED,
			       "process %d did not answer: it ended, or you are neither root nor "
			       "its user",
			       (int)pid);
	case STATUS_TIMEOUT:
		return cli_say(CLI_FAILED, "process %d did not answer within %d s", (int)pid,
			       ANSWER_MS / 1000);
	default:
		return cli_say(CLI_FAILED, "the pool cannot be asked: no memory");
	}
}

/* What was found; 0: none. */
struct search {
	pid_t here;   /* the one that says it listens there */
	pid_t any;    /* one that we may ask */
	pid_t others; /* one of somebody else's */
	size_t count; /* of those that we may ask */
};

static void look_at(struct search *search, pid_t pid, const char *address)
{
	enum status status;
	struct buf said;

	buf_init(&said, ADDRESS_CAP);
	status = control_show(pid, "listen", clock_ms() + LISTEN_MS, &said);
	if (status == STATUS_OK || status == STATUS_TIMEOUT) {
		search->any = pid;
		search->count++;
	} else if (status == STATUS_CLOSED) {
		search->others = pid;
	}
	if (status == STATUS_OK && str_equal(buf_view(&said), str_from(address)))
		search->here = pid;
	buf_clear(&said);
}

/* Whoever connects to the address itself, to see whose it is, waits there for a worker as clients do. */
static struct search find(const char *address)
{
	struct search search = { .count = 0 };
	pid_t pids[POOLS];
	size_t count = control_all(pids, COUNT(pids)), i;

	for (i = 0; i < count; i++)
		look_at(&search, pids[i], address);
	return search;
}

int running_ask(const struct cli_call *call, const char *word, struct buf *out, bool *none)
{
	int64_t given = cli_number(call, "--pid", 0);
	const char *address = call->config->listen;
	struct search search;

	if (cli_value(call, "--pid")) {
		if (given < 1 || given > INT32_MAX)
			return cli_say(CLI_WRONG, "%s: --pid should be a process id",
				       call->command->name);
		return show((pid_t)given, word, out);
	}
	search = find(address);
	if (search.here)
		return show(search.here, word, out);
	/* A pool has no use for a shared file: who names one means workers that have none. */
	if (search.count == 1 && !(none && *call->config->shared_file))
		return show(search.any, word, out);
	if (none) {
		*none = true;
		return CLI_FAILED;
	}
	if (search.others && !search.count)
		return show(search.others, word, out);
	return cli_say(CLI_FAILED,
		       search.count
			       ? "several pools run, and none says that it listens at %s: --pid"
			       : "no pool is found at %s; if one runs: --pid",
		       address);
}
