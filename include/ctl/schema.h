/* A database's schema, made and brought up to date. */
#ifndef CTL_SCHEMA_H
#define CTL_SCHEMA_H

#include "cli/command.h"

/* In a transaction that makes functions: one may name another that comes after it. */
#define SCHEMA_ANY_ORDER "set local check_function_bodies = off;"

/*
 * Brings the database at `address` (libpq's keywords or a URI; NULL: the operator's own) up to this
 * version; `role`, NULL: none is named, may then use it as the application. Says on standard output
 * what was done. CLI_DONE or CLI_FAILED (said); what was committed before stays.
 */
int schema_migrate(const struct cli_call *call, const char *address, const char *role);

#endif
