/*
 * banterctl metrics: what the status listener would say, without HTTP: from the running pool or,
 * where a web server starts the workers, from the file that they share.
 */
#include "ctl/metrics.h"

#include "base/counter.h"
#include "cli/call.h"
#include "cli/rows.h"
#include "ctl/running.h"
#include "edge/shared_file.h"
#include "wire/exposition.h"

#define TEXT_CAP (32 << 20)
#define PATH_CAP 8192

static int read_file(const struct cli_call *call, bool open, struct buf *out)
{
	struct counter_table *table = NULL;
	struct exposition exposition;
	const char *why = "no memory";
	int code = CLI_DONE;
	struct buf path;

	buf_init(&path, PATH_CAP);
	shared_file_name(call->config, &path);
	buf_puts(&path, SHARED_FILE_COUNTERS);
	if (counter_table_look(buf_text(&path), SHARED_FILE_WORKERS, &table, &why)) {
		code = cli_say(CLI_FAILED,
			       "no pool is found at %s, and the file %s of workers that others "
			       "start cannot be read: %s. If a pool runs: --pid; else run this as "
			       "the web server's user, or set BANTER_SHARED_FILE as it does",
			       call->config->listen, buf_text(&path), why);
	} else {
		exposition_begin(&exposition, out, open);
		exposition_counters(&exposition, table);
		exposition_end(&exposition);
	}
	counter_table_close(table);
	buf_clear(&path);
	return code;
}

int metrics_run(const struct cli_call *call)
{
	bool open = cli_value(call, "--openmetrics"), none = false;
	struct buf text;
	int code;

	buf_init(&text, TEXT_CAP);
	code = running_ask(call, open ? "openmetrics" : "metrics", &text, &none);
	if (none)
		code = read_file(call, open, &text);
	if (code == CLI_DONE && buf_check(&text))
		code = cli_say(CLI_FAILED, "no memory");
	if (code == CLI_DONE)
		code = cli_print_text(buf_view(&text));
	buf_clear(&text);
	return code;
}
