/* banterctl: the operator's program. */
#include "cli/program.h"
#include "ctl/commands.h"

int main(int argc, char **argv)
{
	return program_run(&ctl_program, argc, argv);
}
