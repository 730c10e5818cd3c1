/* The checks in their order: a file a family. */
#include "doctor/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/count.h"
#include "cli/call.h"
#include "cli/interrupt.h"
#include "doctor/check.h"
#include "doctor/database.h"
#include "doctor/files.h"
#include "doctor/model.h"
#include "doctor/pool.h"
#include "doctor/replication.h"
#include "doctor/server.h"
#include "doctor/settings.h"
#include "doctor/tenant.h"
#include "doctor/transactions.h"
#include "doctor/web.h"
#include "edge/http_client.h"

#define URL_CAP 2048

static void run_checks(struct doctor *doctor)
{
	static void (*const checks[])(struct doctor *) = {
		doctor_settings,    doctor_files,	  doctor_database,     doctor_server,
		doctor_replication, doctor_server_upkeep, doctor_transactions, doctor_model,
		doctor_pool,	    doctor_pool_exchange, doctor_web,
	};
	size_t i;

	/* An interrupt ends it between two checks, and what was made for them is removed. */
	interrupt_catch();
	for (i = 0; i < COUNT(checks) && !interrupt_came(); i++)
		checks[i](doctor);
	doctor_tenant_leave(doctor);
}

/* As asked for, else as the environment has it for clients; NULL: only the pool is tested. */
static const char *public_url(const struct cli_call *call)
{
	const char *url = cli_value(call, "--url");

	return url ? url : getenv("BANTER_URL");
}

/* CLI_DONE or CLI_WRONG (said). */
static int judge_options(const struct cli_call *call)
{
	const char *url = public_url(call), *ca = cli_value(call, "--ca");

	if (url && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return cli_say(CLI_WRONG, "doctor: --url should begin with https:// or http://");
	if (url && strlen(url) > URL_CAP)
		return cli_say(CLI_WRONG, "doctor: --url is longer than %d bytes", URL_CAP);
	if (cli_value(call, "--key-file") && !url)
		return cli_say(CLI_WRONG, "doctor: --key-file goes with --url");
	if (ca && access(ca, R_OK))
		return cli_say(CLI_WRONG, "doctor: --ca: %s cannot be read: %s", ca,
			       strerror(errno));
	return CLI_DONE;
}

static int run_doctor(const struct cli_call *call)
{
	struct report report;
	struct doctor doctor = {
		.call = call,
		.config = call->config,
		.report = &report,
		.with_model = !cli_value(call, "--no-model"),
	};
	const char *url = public_url(call);
	struct buf public;
	int code = judge_options(call);

	if (code != CLI_DONE)
		return code;
	if (http_client_warm())
		return cli_say(CLI_FAILED, "libcurl cannot be set up");
	buf_init(&public, URL_CAP);
	buf_puts(&public, url ? url : "");
	while (public.len && public.data[public.len - 1] == '/')
		buf_truncate(&public, public.len - 1);
	doctor.url = url ? buf_text(&public) : NULL;
	report_init(&report, call);
	run_checks(&doctor);
	code = interrupt_came() ? CLI_FAILED : report_conclude(&report);
	report_clear(&report);
	if (interrupt_came())
		cli_say(CLI_FAILED, "stopped; what was made to test with is removed");
	db_free(doctor.db);
	db_free(doctor.owner);
	buf_clear(&public);
	return code;
}

static const struct cli_option doctor_options[] = {
	{ "--url", "URL",
	  "also test through the web server: the address that clients use; without it, "
	  "BANTER_URL" },
	{ "--key-file", "FILE",
	  "a widget key to test with (-: standard input); else one is made, and removed" },
	{ "--ca", "FILE",
	  "the authorities that vouch for the URL's certificate, if they are your own" },
	{ "--no-model", NULL, "ask the model nothing: that costs a few tokens" },
	{ .name = NULL },
};

const struct cli_command doctor_commands[] = {
	{ .name = "doctor",
	  .arguments = "",
	  .meaning = "Tries the real thing, and says what to do about what is wrong",
	  .more = "Each line is ok, a warning, wrong, or not tried since something before it is "
		  "wrong; beneath\n"
		  "it stands the next step. The settings should be those of the running pool, and "
		  "the user its\n"
		  "user. It changes nothing that stays: the exchanges it tests with are removed. "
		  "It "
		  "exits with 1\n"
		  "if anything is wrong; warnings alone are no failure.\n\n"
		  "With --url, the same answer is asked for at the pool's socket and through the "
		  "web "
		  "server, and\n"
		  "their pace is compared: that shows which of them holds tokens back.",
	  .example = "doctor --url https://chat.example.com",
	  .options = doctor_options,
	  .flags = CLI_PRINTS,
	  .run = run_doctor },
	{ .name = NULL },
};
