/* Whether the database's schema is there, and is the operator's. */
#ifndef OPS_SCHEMA_H
#define OPS_SCHEMA_H

#include "ops/ops.h"

enum ops_schema {
	OPS_SCHEMA_OWNED,
	OPS_SCHEMA_MISSING,
	OPS_SCHEMA_OTHERS, /* this role does not own it */
};

#define OPS_ROLE_SIZE 64

/* And who asks, NUL-ended: the role of this connection. */
enum status ops_schema_look(struct ops *ops, enum ops_schema *out,
			    char role[OPS_ROLE_SIZE]) MUST_CHECK;

#endif
