/*
 * The load of the benchmark: clients that read streams, in one thread, and check every token. Its
 * result is one line of JSON; it fails where a count does not match. Not a judge of speed.
 *
 *	load --api openai|headless --port N [--clients N] [--exchanges N] [--tokens N] [--gap-us N]
 *	     [--burst N] [--spread-us N] [--refusals]
 *
 * The headless API's keys are in the environment, BENCH_KEY, with spaces between: the clients have
 * them by turns. Clients begin one after the other, within --spread-us: else one gap, so that paced
 * tokens do not all fall due at the same moment.
 * When each of them has had a first token, it says "begun" in a line of its own.
 * With --refusals an answer that is no stream is counted, and does not fail the run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"
#include "client.h"

#define EVENTS 256
/* A guard against hanging: this long without anything to read is a fault. */
#define PATIENCE_NS INT64_C(30000000000)

static void usage(void)
{
	fputs("usage: load --api openai|headless --port N [--clients N] [--exchanges N]"
	      " [--tokens N] [--gap-us N] [--burst N] [--spread-us N] [--refusals]\n",
	      stderr);
	exit(2);
}

static void read_keys(struct run *run)
{
	char *rest = getenv("BENCH_KEY"), *key;

	while (rest && run->key_count < LOAD_KEYS && (key = strtok_r(rest, " ", &rest)))
		run->keys[run->key_count++] = key;
}

static void read_options(int argc, char **argv, struct run *run)
{
	static const struct option options[] = {
		{ "api", required_argument, NULL, 'a' },
		{ "port", required_argument, NULL, 'p' },
		{ "clients", required_argument, NULL, 'c' },
		{ "exchanges", required_argument, NULL, 'e' },
		{ "tokens", required_argument, NULL, 't' },
		{ "gap-us", required_argument, NULL, 'g' },
		{ "burst", required_argument, NULL, 'b' },
		{ "spread-us", required_argument, NULL, 's' },
		{ "refusals", no_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		if (option == 'a')
			run->api = strcmp(optarg, "openai") ? ANSWER_HEADLESS : ANSWER_OPENAI;
		else if (option == 'p')
			run->to.sin_port = htons((uint16_t)value);
		else if (option == 'c')
			run->clients = value;
		else if (option == 'e')
			run->exchanges = value;
		else if (option == 't')
			run->tokens = value;
		else if (option == 'g')
			run->gap_us = value;
		else if (option == 'b')
			run->burst = value;
		else if (option == 's')
			run->spread_us = value;
		else if (option == 'r')
			run->may_refuse = true;
		else
			usage();
	}
	read_keys(run);
	if (run->spread_us < 0)
		run->spread_us = run->gap_us;
	if (optind != argc || !run->to.sin_port || !run->clients || !run->exchanges ||
	    !run->tokens || (run->api == ANSWER_HEADLESS && !run->key_count))
		usage();
}

static unsigned still_open(const struct client *clients, unsigned count)
{
	unsigned i, open = 0;

	for (i = 0; i < count; i++)
		open += clients[i].phase != CLIENT_OVER;
	return open;
}

/* Until every client is over; false when nothing came for too long. */
static bool drive(struct run *run, struct client *clients, int epoll, int64_t begun)
{
	int64_t step = run->spread_us * 1000 / run->clients, now = begun, last = begun;
	struct epoll_event events[EVENTS];
	unsigned started = 0;
	bool told = false;
	int i, n;

	while (started < run->clients || still_open(clients, run->clients)) {
		int64_t due = started < run->clients ? begun + started * step : last + PATIENCE_NS;
		struct timespec left = bench_until(due, now);

		n = epoll_pwait2(epoll, events, EVENTS, &left, NULL);
		if (n < 0 && errno != EINTR)
			return false;
		for (i = 0; i < n; i++)
			client_ready(events[i].data.ptr, epoll);
		now = bench_now();
		if (n > 0)
			last = now;
		if (run->begun == run->clients && !told) {
			puts("begun");
			fflush(stdout);
			told = true;
		}
		while (started < run->clients && begun + started * step <= now)
			client_start(&clients[started++], epoll);
		if (now - last > PATIENCE_NS)
			return false;
	}
	return true;
}

static void print_quantiles(const char *name, const struct histogram *histogram)
{
	static const struct {
		const char *name;
		double share;
	} quantiles[] = { { "p50", 0.5 },  { "p75", 0.75 }, { "p90", 0.9 },
			  { "p95", 0.95 }, { "p99", 0.99 }, { "p99.9", 0.999 } };
	size_t i;

	printf(",\"%s\":{", name);
	for (i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
		printf("\"%s\":%" PRId64 ",", quantiles[i].name,
		       histogram_quantile(histogram, quantiles[i].share));
	printf("\"max\":%" PRId64 "}", histogram->max);
}

static void print_result(const struct run *run, int64_t wall)
{
	struct timespec cpu;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("{\"tokens\":%" PRIu64 ",\"exchanges\":%" PRIu64 ",\"refused\":%" PRIu64
	       ",\"reads\":%" PRIu64 ",\"wall_ns\":%" PRId64 ",\"cpu_ns\":%" PRId64,
	       run->all_tokens, run->all_exchanges, run->refused, run->reads, wall,
	       (int64_t)cpu.tv_sec * 1000000000 + cpu.tv_nsec);
	print_quantiles("token_ns", &run->token);
	print_quantiles("first_ns", &run->first);
	print_quantiles("exchange_ns", &run->exchange);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	struct client *clients = NULL;
	int epoll = epoll_create1(EPOLL_CLOEXEC), status = 1;
	int64_t begun;
	uint64_t wanted;
	unsigned i;

	if (!run || epoll < 0)
		goto out;
	run->to.sin_family = AF_INET;
	run->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	run->clients = run->exchanges = run->tokens = run->burst = 1;
	run->spread_us = -1;
	read_options(argc, argv, run);
	clients = calloc(run->clients, sizeof(*clients));
	if (!clients)
		goto out;
	/* Every page is touched now, not while something is measured. */
	memset(clients, 1, run->clients * sizeof(*clients));
	for (i = 0; i < run->clients; i++)
		client_init(&clients[i], run, i);
	begun = bench_now();
	if (!drive(run, clients, epoll, begun) && !run->fault)
		run->fault = "nothing came for too long";
	print_result(run, bench_now() - begun);
	wanted = (uint64_t)run->clients * run->exchanges;
	if (run->fault)
		fprintf(stderr, "load: %s\n%s", run->fault, run->fault_head);
	else if (run->all_exchanges + run->refused != wanted ||
		 run->all_tokens != run->all_exchanges * run->tokens)
		fprintf(stderr, "load: the counts do not match\n");
	else
		status = 0;
out:
	free(clients);
	free(run);
	return status;
}
