/* Where the tables lie that workers share which no pool of ours started, and how many can. */
#ifndef EDGE_SHARED_FILE_H
#define EDGE_SHARED_FILE_H

#include "base/buf.h"
#include "wire/config.h"

/* Such workers of one user that hold open exchanges; part of the files' layout. */
#define SHARED_FILE_WORKERS 1024
/* Behind the name of the limits' file. */
#define SHARED_FILE_COUNTERS ".counters"

/* BANTER_SHARED_FILE, or where this user's are if that is not set. */
void shared_file_name(const struct config *config, struct buf *path);

#endif
