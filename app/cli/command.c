/* How a command is found in its program's tables. */
#include "cli/command.h"

#include <string.h>

static bool names(const struct cli_command *command, int count, char **words, int *used)
{
	const char *second = strchr(command->name, ' ');
	size_t first = second ? (size_t)(second - command->name) : strlen(command->name);

	*used = second ? 2 : 1;
	return count >= *used && strlen(words[0]) == first &&
	       memcmp(words[0], command->name, first) == 0 &&
	       (!second || strcmp(words[1], second + 1) == 0);
}

const struct cli_command *command_find(const struct cli_program *program, int count, char **words,
				       int *used)
{
	const struct cli_command *const *group, *command;

	for (group = program->groups; *group; group++)
		for (command = *group; command->name; command++)
			if (names(command, count, words, used))
				return command;
	return NULL;
}
