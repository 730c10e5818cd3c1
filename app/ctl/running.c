/* Which pool is asked.  Rests on edge/control; for ctl/status and ctl/metrics. */
#include "ctl/running.h"

#include <stdint.h>

#include "base/clock.h"
#include "cli/call.h"
#include "edge/control.h"

#define ANSWER_MS 10000

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

int running_ask(const struct cli_call *call, const char *word, struct buf *out, bool *none)
{
	int64_t given = cli_number(call, "--pid", 0);
	const char *address = call->config->listen;
	pid_t pid = 0;

	if (cli_value(call, "--pid")) {
		if (given < 1 || given > INT32_MAX)
			return cli_say(CLI_WRONG, "%s: --pid should be a process id",
				       call->command->name);
		return show((pid_t)given, word, out);
	}
	/* A socket that a service manager made is its own. */
	if (control_find(address, &pid) == STATUS_OK &&
	    control_show(pid, word, clock_ms() + ANSWER_MS, out) == STATUS_OK)
		return CLI_DONE;
	buf_reset(out);
	if (control_only(&pid))
		return show(pid, word, out);
	if (none) {
		*none = true;
		return CLI_FAILED;
	}
	return cli_say(CLI_FAILED, "no pool is found at %s; if one runs: --pid", address);
}
