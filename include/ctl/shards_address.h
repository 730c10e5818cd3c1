/* Where a partition is, as libpq's keywords: "host=db1 dbname=banter_0". */
#ifndef CTL_SHARDS_ADDRESS_H
#define CTL_SHARDS_ADDRESS_H

#include "base/buf.h"

/* Whether it names a database, and nobody: CLI_DONE, or CLI_WRONG, said of `command` with an example. */
int shards_address_look(const char *command, const char *address, const char *example);
/* The same with a user, into `out`, which is the caller's to clear. CLI_DONE or CLI_FAILED (said). */
int shards_address_put(const char *address, const char *user, struct buf *out);

#endif
