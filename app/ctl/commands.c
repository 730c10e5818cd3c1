/* All of banterctl's commands, in the order that help shows them, and how they are found. */
#include <string.h>

#include "cli/command.h"
#include "ctl/commands.h"

const struct cli_command *const ctl_commands[] = {
	ctl_schema_commands,
	ctl_workspace_commands,
	ctl_chatbot_commands,
	ctl_key_commands,
	ctl_credits_commands,
	ctl_conversation_commands,
	ctl_retention_commands,
	ctl_watch_commands,
	ctl_doctor_commands,
	ctl_program_commands,
	NULL,
};

static bool names(const struct cli_command *command, int count, char **words, int *used)
{
	const char *second = strchr(command->name, ' ');
	size_t first = second ? (size_t)(second - command->name) : strlen(command->name);

	*used = second ? 2 : 1;
	return count >= *used && strlen(words[0]) == first &&
	       memcmp(words[0], command->name, first) == 0 &&
	       (!second || strcmp(words[1], second + 1) == 0);
}

const struct cli_command *cli_find(int count, char **words, int *used)
{
	const struct cli_command *const *room, *command;

	for (room = ctl_commands; *room; room++)
		for (command = *room; command->name; command++)
			if (names(command, count, words, used))
				return command;
	return NULL;
}
