/* With what a connection to the database is made, and where it was read from.  edge/db's own. */
#ifndef EDGE_DB_SECRETS_H
#define EDGE_DB_SECRETS_H

#include <stdbool.h>

#include "base/status.h"
#include "edge/db.h"

/* As in struct db_target, never NULL. */
struct db_secrets {
	char *url, *password;
	char *url_file, *password_file;
};

/* Keeps copies. STATUS_NOMEM, and nothing is kept. */
enum status db_secrets_init(struct db_secrets *secrets, const struct db_target *target) MUST_CHECK;
void db_secrets_clear(struct db_secrets *secrets); /* wipes */
/* Reads the files. True: something is other than it was; *url: the URL. */
bool db_secrets_read_again(struct db_secrets *secrets, bool *url);

#endif
