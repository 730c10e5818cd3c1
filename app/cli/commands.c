/* help, completion, manual, version. */
#include "cli/commands.h"

#include <stdio.h>

#include "base/version.h"
#include "cli/call.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/manual.h"

static int run_help(const struct cli_call *call)
{
	const struct cli_command *command;
	int used;

	if (!call->count) {
		help_all(call->program, stdout);
		return CLI_DONE;
	}
	command = command_find(call->program, call->count, call->arguments, &used);
	if (command && used == call->count)
		help_command(call->program, command, stdout);
	else if (call->count > 1)
		return cli_say(CLI_WRONG, "%s %s: no such command; try %s help", call->arguments[0],
			       call->arguments[1], call->program->name);
	else if (!help_group(call->program, call->arguments[0], stdout))
		return cli_say(CLI_WRONG, "%s: no such command; try %s help", call->arguments[0],
			       call->program->name);
	return CLI_DONE;
}

static int run_version(const struct cli_call *call)
{
	(void)call;
	printf("banter " BANTER_VERSION "\n");
	return CLI_DONE;
}

static int run_completion(const struct cli_call *call)
{
	if (!completion_put(call->program, call->arguments[0], stdout))
		return cli_say(CLI_WRONG, "completions are for bash and zsh, not for %s",
			       call->arguments[0]);
	return CLI_DONE;
}

static int run_manual(const struct cli_call *call)
{
	if (!manual_put(call->program, call->arguments[0], stdout))
		return cli_say(CLI_WRONG,
			       "the pages are banterctl, banter.conf and settings, not %s",
			       call->arguments[0]);
	return CLI_DONE;
}

const struct cli_command cli_commands[] = {
	{ .name = "help",
	  .arguments = "[COMMAND]",
	  .most = 2,
	  .meaning = "Prints what there is, or what one command does",
	  .example = "help chatbot create",
	  .flags = CLI_ALONE,
	  .run = run_help },
	{ .name = "completion",
	  .arguments = "bash|zsh",
	  .least = 1,
	  .most = 1,
	  .meaning = "Prints a shell's completion of these commands",
	  .more = "For bash:\n  source <(banterctl completion bash)\n"
		  "For zsh, in a folder of its fpath:\n  banterctl completion zsh >_banterctl",
	  .example = "completion bash >/etc/bash_completion.d/banterctl",
	  .flags = CLI_ALONE,
	  .run = run_completion },
	{ .name = "manual",
	  .arguments = "banterctl|banter.conf|settings",
	  .least = 1,
	  .most = 1,
	  .meaning = "Prints the source of a manual page, or of the page of settings",
	  .example = "manual banterctl | man -l -",
	  .flags = CLI_ALONE,
	  .run = run_manual },
	{ .name = "version",
	  .arguments = "",
	  .meaning = "Prints the version",
	  .example = "version",
	  .flags = CLI_ALONE,
	  .run = run_version },
	{ .name = NULL },
};
