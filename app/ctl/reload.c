/*
 * Asks the master, and says what became of it.  It judges the settings itself: only there is the
 * environment that counts.
 */
#include "ctl/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/call.h"
#include "cli/program.h"
#include "edge/control.h"

#define ANSWER_MS 60000
#define TEXT_CAP 8192

static int say_answer(enum control_end end, const char *text)
{
	if (end == CONTROL_DONE) {
		printf("%s\n", text);
		return CLI_DONE;
	}
	return cli_say(end == CONTROL_WRONG ? CLI_WRONG : CLI_FAILED, "%s", text);
}

static int ask(pid_t pid)
{
	enum control_end end = CONTROL_FAILED;
	enum status status;
	struct buf text;
	int code;

	buf_init(&text, TEXT_CAP);
	status = control_ask(pid, clock_ms() + ANSWER_MS, &end, &text);
	if (status == STATUS_OK)
		code = say_answer(end, buf_text(&text));
	else if (status == STATUS_UNAVAILABLE)
		code = cli_say(
			CLI_FAILED,
			"process %d is no pool of banter.fcgi. If a service manager made its "
			"socket: systemctl reload banter; else --pid",
			(int)pid);
	else if (status == STATUS_CLOSED)
		code = cli_say(
			CLI_FAILED,
			"process %d did not answer: it ended, or you are neither root nor its "
			"user",
			(int)pid);
	else if (status == STATUS_TIMEOUT)
		code = cli_say(
			CLI_FAILED,
			"after %d s not all workers of the new settings are up; the old ones "
			"serve on, and the pool's log says why",
			ANSWER_MS / 1000);
	else
		code = cli_say(CLI_FAILED, "the pool cannot be asked: %s", status_name(status));
	buf_clear(&text);
	return code;
}

/* The pool that these settings lead to; wrong ones have been said by now. */
static int ask_here(const struct cli_call *call)
{
	const char *address = call->config->listen;
	enum status status;
	pid_t pid = 0;

	status = control_find(address, &pid);
	if (status == STATUS_OK)
		return ask(pid);
	if (status == STATUS_INVALID)
		return cli_say(CLI_FAILED, "whose port %s is cannot be seen: --pid", address);
	return cli_say(CLI_FAILED, "%s: %s; is the pool running? if it is: --pid", address,
		       strerror(errno));
}

static int run_reload(const struct cli_call *call)
{
	int64_t pid = cli_number(call, "--pid", 0);

	if (!cli_value(call, "--pid"))
		return program_with_settings(call, ask_here);
	if (pid < 1 || pid > INT32_MAX)
		return cli_say(CLI_WRONG, "reload: --pid should be a process id");
	return ask((pid_t)pid);
}

static const struct cli_option reload_options[] = {
	{ "--pid", "N", "the pool's master process; else the one that listens on BANTER_LISTEN" },
	{ .name = NULL },
};

const struct cli_command ctl_reload_commands[] = {
	{ .name = "reload",
	  .arguments = "",
	  .meaning = "Has the running pool load its settings again, and says what became of it",
	  .more = "As SIGHUP does: the workers are exchanged one by one, and running exchanges go "
		  "on. "
		  "It ends when\n"
		  "all new workers are up. A wrong setting changes nothing: it is named, and the "
		  "exit "
		  "code is 2.\n"
		  "Where the program's file was replaced, the new one takes over, beside "
		  "running exchanges.",
	  .example = "reload",
	  .options = reload_options,
	  .flags = CLI_ALONE,
	  .run = run_reload },
	{ .name = NULL },
};
