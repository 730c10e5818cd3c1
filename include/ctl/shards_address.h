/* Where a partition is, as libpq's keywords: "host=db1 dbname=banter_0". */
#ifndef CTL_SHARDS_ADDRESS_H
#define CTL_SHARDS_ADDRESS_H

#include <stdbool.h>

#include "base/buf.h"

/* It names a database, and nobody. */
bool shards_address_fits(const char *address);
/* The same with a user, into `out`, which is the caller's to clear. CLI_DONE or CLI_FAILED (said). */
int shards_address_put(const char *address, const char *user, struct buf *out);

#endif
