/* The operator's connection, and refusals told to a person. */
#include "cli/query.h"

#include "base/clock.h"
#include "cli/call.h"

/* An operator waits longer than a client; long work is done in steps. */
#define CALL_MS 300000

int cli_connect(const struct cli_call *call, struct db **out)
{
	return cli_connect_to(call, NULL, out);
}

int cli_connect_to(const struct cli_call *call, const char *address, struct db **out)
{
	const struct config *config = call->config;
	bool own = *config->admin_database_url;
	struct db_target target = {
		.url = address ? address
		       : own   ? config->admin_database_url
			       : config->database_url,
		.url_file = address ? NULL
			    : own   ? config->files.admin_database_url
				    : config->files.database_url,
		.password = config->database_password,
		.password_file = config->files.database_password,
		.connect_ms = config->database_connect_ms,
	};

	if (db_new(&target, out) == STATUS_OK)
		return CLI_DONE;
	return cli_say(CLI_FAILED, "no memory");
}

int cli_query(struct db *db, const struct db_query *query, struct db_rows **out)
{
	return db_call(db, NULL, query, clock_ms() + CALL_MS, out) ? CLI_FAILED : CLI_DONE;
}

int cli_open(const struct cli_call *call, struct ops *out)
{
	return cli_open_at(call, NULL, out);
}

int cli_open_at(const struct cli_call *call, const char *address, struct ops *out)
{
	struct db *db = NULL;
	int code = cli_connect_to(call, address, &db);

	ops_init(out, db, NULL, CALL_MS);
	return code;
}

void cli_close(struct ops *ops)
{
	db_free(ops->db);
	ops->db = NULL;
}

int cli_ended(const struct cli_call *call, const struct ops *ops, enum status status)
{
	switch (status) {
	case STATUS_OK:
		return CLI_DONE;
	case STATUS_INVALID:
		return cli_say(CLI_WRONG, "%s", ops->refusal);
	case STATUS_REFUSED:
		return cli_say(CLI_FAILED, "%s", ops->refusal);
	case STATUS_FAILED:
		*call->refused = true;
		return CLI_FAILED;
	default:
		return CLI_FAILED;
	}
}
