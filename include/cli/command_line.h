/* The command line, taken apart. */
#ifndef CLI_COMMAND_LINE_H
#define CLI_COMMAND_LINE_H

#include "cli/command.h"

struct command_line {
	bool help; /* the command is to be told of, not run */
	struct cli_call call;
	char **words; /* the call's arguments stand in it */
};

/*
 * Takes the words behind the program's name apart; they must stay as long as `line`. CLI_DONE: call.command
 * is to be run, or NULL where all was said already. CLI_WRONG or CLI_FAILED (said). To be cleared
 * either way.
 */
int command_line_take(struct command_line *line, const struct cli_program *program, int count,
		      char **words);
void command_line_clear(struct command_line *line);

#endif
