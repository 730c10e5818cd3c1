/* A refusal explained: on a connection of its own, since the one before may be inside a transaction. */
#include "ctl/explain.h"

#include "cli/call.h"
#include "cli/query.h"
#include "ops/schema.h"

void explain_refusal(const struct cli_call *call)
{
	enum ops_schema schema = OPS_SCHEMA_OWNED;
	char role[OPS_ROLE_SIZE];
	struct ops ops;

	if (cli_open(call, &ops) != CLI_DONE || ops_schema_look(&ops, &schema, role))
		schema = OPS_SCHEMA_OWNED; /* what there is to say was said */
	if (schema == OPS_SCHEMA_MISSING)
		cli_say(CLI_FAILED, "the schema is not there; banterctl migrate makes it");
	else if (schema == OPS_SCHEMA_OTHERS)
		cli_say(CLI_FAILED,
			"%s does not own the schema; BANTER_ADMIN_DATABASE_URL should name its "
			"owner",
			role);
	cli_close(&ops);
}
