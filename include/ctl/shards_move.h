/* banterctl shards move. */
#ifndef CTL_SHARDS_MOVE_H
#define CTL_SHARDS_MOVE_H

#include "cli/command.h"

/* From where it stands, also where another run was cut off; `--cancel` takes it back. */
int shards_move_run(const struct cli_call *call);

#endif
