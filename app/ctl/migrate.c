/* banterctl migrate and demo: the commands of the schema. */
#include "ctl/migrate.h"

#include <stddef.h>

#include "cli/call.h"
#include "ctl/demo.h"
#include "ctl/schema.h"

static int run_migrate(const struct cli_call *call)
{
	return schema_migrate(call, NULL, cli_value(call, "--role"));
}

static const struct cli_option migrate_options[] = {
	{ "--role", "NAME", "the role the application connects as" },
	{ .name = NULL },
};

static const struct cli_option demo_options[] = {
	{ "--env-file", "FILE", "keep the keys in FILE; the same file, the same keys" },
	{ "--origins", "ORIGINS",
	  "also a site key, for pages of these origins alone, commas between" },
	{ .name = NULL },
};

const struct cli_command ctl_schema_commands[] = {
	{ .name = "migrate",
	  .arguments = "",
	  .meaning = "Brings the database's schema up to this version",
	  .more = "It may be run at any time, again, and from two places at once, by the "
		  "schema's owner.\n"
		  "With --role, that role is made if it can be, and may execute the application's "
		  "functions\n"
		  "and read no table; one that was named before may no more. Without, one role "
		  "owns the\n"
		  "schema and uses it: right where a host gives you only one.",
	  .example = "migrate --role banter_app",
	  .options = migrate_options,
	  .run = run_migrate },
	{ .name = "demo",
	  .arguments = "",
	  .meaning = "Makes a workspace, a chatbot and a key of each kind to try things with",
	  .example = "demo --env-file demo.env",
	  .options = demo_options,
	  .run = demo_run },
	{ .name = NULL },
};
