/* The table of the commands that watch. */
#include "ctl/watch.h"

#include <stddef.h>

#include "ctl/metrics.h"
#include "ctl/running.h"
#include "ctl/stats.h"
#include "ctl/status.h"
#include "ctl/tail.h"

static const struct cli_option stats_options[] = {
	{ "--by", "day|chatbot|model|server|workspace|error", "day, if not said; error: by cause" },
	{ "--days", "N", "of how many days, today included; 14 if not said" },
	{ "--workspace", "WORKSPACE", "of this workspace only" },
	{ "--chatbot", "CHATBOT", "of this chatbot only" },
	{ .name = NULL },
};

static const struct cli_option tail_options[] = {
	{ "--limit", "N", "how many of those that ended; 10 if not said" },
	{ "--follow", NULL, "go on: a line for each that ends, until Ctrl-C" },
	{ "--chatbot", "CHATBOT", "of this chatbot only" },
	{ .name = NULL },
};

static const struct cli_option status_options[] = {
	RUNNING_PID,
	{ "--once", NULL, "at a terminal too: once, and all processes" },
	{ .name = NULL },
};

static const struct cli_option metrics_options[] = {
	RUNNING_PID,
	{ "--openmetrics", NULL, "as OpenMetrics, not in Prometheus' own text format" },
	{ .name = NULL },
};

const struct cli_command ctl_watch_commands[] = {
	{ .name = "stats",
	  .arguments = "",
	  .meaning = "Shows how much is used: exchanges, tokens, errors, credits, times",
	  .more = "Days are UTC's. first_ms_half and first_ms_most are the milliseconds to the "
		  "first token\n"
		  "within which half and 95 of 100 exchanges had it, total_ms_half the same of the "
		  "whole. What\n"
		  "was erased is not counted. The first column is what --by says; programs find it "
		  "as name.\n"
		  "asked_again: a model was asked more than once for it; moved: another server "
		  "was. "
		  "By server an\n"
		  "exchange counts for each that was asked, and its end for the last one. "
		  "tokens_cached: of\n"
		  "tokens_in, those that a server had kept from an earlier request, which cost "
		  "less;\n"
		  "cached_percent: their share, where the servers say how many. By chatbot, "
		  "visitors_percent\n"
		  "is how much of what its visitors may begin today they have begun. thumbs_up "
		  "and\n"
		  "thumbs_down: answers that whoever asked found good, and bad.",
	  .example = "stats --by chatbot --days 30",
	  .options = stats_options,
	  .flags = CLI_PRINTS,
	  .details = 2,
	  .run = stats_run },
	{ .name = "tail",
	  .arguments = "",
	  .meaning = "Shows the exchanges that ended last and those that run, without their texts",
	  .more = "The request's id is also in the pool's log and in the reply's X-Request-Id.",
	  .example = "tail --follow",
	  .options = tail_options,
	  .flags = CLI_PRINTS,
	  .details = 8, /* the column that is tail's own among them */
	  .run = tail_run },
	{ .name = "status",
	  .arguments = "",
	  .meaning = "Shows what the running pool does: its workers, who waits, its model servers",
	  .more = "It asks the pool's master, not a worker, so it is answered while all are busy. "
		  "At a "
		  "terminal it\n"
		  "is shown anew each second, without workers that are idle, until Ctrl-C; else "
		  "once. "
		  "for_s: how\n"
		  "long a process has been at its stage; requests: of all that had its place. "
		  "waiting: who waits\n"
		  "for a worker now, waiting_s: the first of them; waited, refused, deaths: since "
		  "the pool's start.\n"
		  "JSON has more; deploy/monitoring has what each member is.",
	  .example = "status --once",
	  .options = status_options,
	  .flags = CLI_PRINTS,
	  .run = status_run },
	{ .name = "metrics",
	  .arguments = "",
	  .meaning = "Prints what the running pool has counted, for Prometheus",
	  .more = "The same as GET /metrics on the status listener, without HTTP. Where a web "
		  "server "
		  "starts the\n"
		  "workers it is read from the file that they share, by its user.",
	  .example = "metrics",
	  .options = metrics_options,
	  .run = metrics_run },
	{ .name = NULL },
};
