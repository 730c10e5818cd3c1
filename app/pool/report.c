/* What is shown of the pool.  A scoreboard is shown, never believed: see pool/children.h. */
#include "pool/report.h"

#include "base/clock.h"
#include "base/count.h"
#include "base/version.h"
#include "chat/breaker.h"
#include "edge/backlog.h"
#include "wire/exposition.h"
#include "wire/frame.h"

enum worker_state { STATE_STARTING, STATE_IDLE, STATE_BUSY, STATE_DRAINING, STATES };

static const char *const state_names[STATES] = { "starting", "idle", "busy", "draining" };
static const char *const breaker_names[] = { "closed", "open", "probing" };

/* A place that somebody has, as its slot says now. */
struct seen {
	const struct scoreboard_slot *slot;
	uint32_t place;
	pid_t pid;
	int at;
	enum child_kind kind;
	enum worker_state state;
};

static bool see(const struct children *children, uint32_t place, struct seen *out)
{
	const struct scoreboard_slot *slot = &children->scoreboard->slots[place];

	*out = (struct seen){ .slot = slot, .place = place, .pid = atomic_load(&slot->pid) };
	out->kind = slot->kind;
	if (out->pid <= 0 || (unsigned)out->kind >= CHILD_KINDS)
		return false;
	out->at = atomic_load(&slot->stage.at);
	if (slot->generation != children->master.generation)
		out->state = STATE_DRAINING;
	else if (out->at == STAGE_STARTING)
		out->state = STATE_STARTING;
	else
		out->state = out->at == STAGE_IDLE ? STATE_IDLE : STATE_BUSY;
	return true;
}

struct tally {
	unsigned states[STATES]; /* of workers */
	unsigned all;
};

static struct tally count(const struct children *children)
{
	struct tally tally = { .all = 0 };
	struct seen seen;
	uint32_t i;

	for (i = 0; i < children->places; i++)
		if (see(children, i, &seen) && seen.kind == CHILD_WORKER) {
			tally.states[seen.state]++;
			tally.all++;
		}
	return tally;
}

static int64_t oldest_ms(const struct children *children)
{
	int64_t since = queue_since(children->queue);

	return since == CLOCK_NEVER ? 0 : clock_ms() - since;
}

enum { SOCKETS = 2 };

/* A listening socket, by what it is for. */
struct shown_socket {
	const char *name, *address;
	int fd; /* -1: there is none */
};

static void see_sockets(const struct children *children, struct shown_socket out[SOCKETS])
{
	const struct children_sockets *sockets = &children->sockets;
	const struct config *config = children->config;

	out[0] = (struct shown_socket){ "web", config->listen, sockets->listen_fd };
	out[1] = (struct shown_socket){ "status", config->status_listen, sockets->status_fd };
}

static void put_workers(struct exposition *out, const struct children *children)
{
	struct tally tally = count(children);
	unsigned i;

	exposition_family(out, "workers", EXPOSITION_GAUGE, "",
			  "workers by what they do; those of older settings drain");
	for (i = 0; i < STATES; i++)
		exposition_whole(
			out,
			(struct exposition_label[]){ { "state", state_names[i] }, { NULL, NULL } },
			tally.states[i]);
	exposition_family(out, "workers_most", EXPOSITION_GAUGE, "",
			  "workers that there may be: BANTER_WORKERS");
	exposition_whole(out, NULL, children->master.plan.most);
	exposition_family(out, "workers_busy_peak", EXPOSITION_GAUGE, "",
			  "the most workers that had a request at the same time, since the start");
	exposition_whole(out, NULL, atomic_load(&children->scoreboard->peak));
	exposition_family(out, "queue_requests", EXPOSITION_GAUGE, "",
			  "requests that wait for a worker in the program's own queue");
	exposition_whole(out, NULL, queue_count(children->queue));
	exposition_family(out, "queue_oldest", EXPOSITION_GAUGE, "seconds",
			  "how long the first of them has waited");
	exposition_thousandths(out, NULL, oldest_ms(children));
}

static void put_sockets(struct exposition *out, const struct children *children)
{
	struct shown_socket sockets[SOCKETS];
	uint32_t waiting, most;
	size_t i;

	see_sockets(children, sockets);
	exposition_family(out, "backlog_connections", EXPOSITION_GAUGE, "",
			  "connections that wait in the kernel, of a listening socket");
	for (i = 0; i < SOCKETS; i++)
		if (backlog_of(sockets[i].fd, &waiting, &most))
			exposition_whole(out,
					 (struct exposition_label[]){ { "socket", sockets[i].name },
								      { NULL, NULL } },
					 waiting);
}

static void put_servers(struct exposition *out, const struct children *children)
{
	const struct config *config = children->config;
	struct breaker_known look;
	size_t i;

	exposition_family(out, "breaker_open", EXPOSITION_GAUGE, "",
			  "1 while a model server is passed over, since it failed");
	for (i = 0; i < config->model_server_count; i++) {
		look = breaker_look(children->models, NULL, &config->model_servers[i]);
		exposition_whole(
			out,
			(struct exposition_label[]){ { "server", config->model_servers[i].name },
						     { NULL, NULL } },
			look.kind != BREAKER_CLOSED);
	}
}

static void put_metrics(const struct children *children, bool open, struct buf *out)
{
	struct exposition exposition;

	exposition_begin(&exposition, out, open);
	exposition_family(&exposition, "build_info", EXPOSITION_GAUGE, "",
			  "1, and the program's version");
	exposition_whole(
		&exposition,
		(struct exposition_label[]){ { "version", BANTER_VERSION }, { NULL, NULL } }, 1);
	exposition_family(&exposition, "start_time", EXPOSITION_GAUGE, "seconds",
			  "when the pool started, and with it its counters: Unix time");
	exposition_thousandths(&exposition, NULL, children->scoreboard->started);
	exposition_counters(&exposition, children->counters);
	put_workers(&exposition, children);
	put_sockets(&exposition, children);
	put_servers(&exposition, children);
	exposition_end(&exposition);
}

static int64_t sum_of(const struct children *children, enum counter counter)
{
	return (int64_t)counter_table_sum(children->counters, counter);
}

static void frame_pool(struct frame *frame, const struct children *children)
{
	struct tally tally = count(children);
	unsigned i;

	frame_open(frame, "pool");
	frame_integer(frame, "workers", tally.all);
	frame_integer(frame, "most", children->master.plan.most);
	for (i = 0; i < STATES; i++)
		frame_integer(frame, state_names[i], tally.states[i]);
	frame_integer(frame, "peak", atomic_load(&children->scoreboard->peak));
	frame_integer(frame, "age_ms", clock_wall_ms() - children->scoreboard->started);
	frame_integer(frame, "generation", children->master.generation);
	frame_integer(frame, "waiting", queue_count(children->queue));
	frame_integer(frame, "waiting_ms", oldest_ms(children));
	frame_integer(frame, "waited", sum_of(children, COUNTER_WAITS));
	frame_integer(frame, "refused", sum_of(children, COUNTER_REFUSED));
	frame_integer(frame, "deaths", sum_of(children, COUNTER_DEATHS));
	frame_integer(frame, "requests", sum_of(children, COUNTER_REQUESTS));
	frame_integer(frame, "exchanges", sum_of(children, COUNTER_EXCHANGES));
	frame_integer(frame, "tokens", sum_of(children, COUNTER_TOKENS));
	frame_close(frame);
}

static void frame_sockets(struct frame *frame, const struct children *children)
{
	struct shown_socket sockets[SOCKETS];
	uint32_t waiting, most;
	size_t i;

	see_sockets(children, sockets);
	frame_open_array(frame, "sockets");
	for (i = 0; i < SOCKETS; i++) {
		if (sockets[i].fd < 0)
			continue;
		frame_open_element(frame);
		frame_string(frame, "socket", str_from(sockets[i].name));
		frame_string(frame, "address", str_from(sockets[i].address));
		if (backlog_of(sockets[i].fd, &waiting, &most)) {
			frame_integer(frame, "waiting", waiting);
			frame_integer(frame, "most", most);
		} else {
			frame_raw(frame, "waiting", STR("null"));
			frame_raw(frame, "most", STR("null"));
		}
		frame_close(frame);
	}
	frame_close_array(frame);
}

static void frame_child(struct frame *frame, const struct children *children,
			const struct seen *seen, int64_t now)
{
	const struct stage *stage = &seen->slot->stage;
	char request[STAGE_REQUEST_SIZE];
	bool has_one = seen->state == STATE_BUSY || seen->state == STATE_DRAINING;

	stage_read_request(stage, request);
	frame_open_element(frame);
	frame_integer(frame, "place", seen->place);
	frame_string(
		frame, "kind",
		str_from(counter_set_value(children->counters, COUNTER_SET_CHILD, seen->kind)));
	frame_integer(frame, "pid", seen->pid);
	frame_string(frame, "state", str_from(state_names[seen->state]));
	frame_string(frame, "stage", str_from(stage_name(seen->at)));
	frame_integer(frame, "stage_ms", now - atomic_load(&stage->since));
	frame_integer(frame, "age_ms", now - seen->slot->born);
	frame_integer(frame, "generation", seen->slot->generation);
	/* Of those before it in its place too. */
	frame_integer(frame, "requests",
		      (int64_t)counter_read(counter_table_slot(children->counters, seen->place),
					    COUNTER_REQUESTS));
	if (has_one && seen->at != STAGE_IDLE && seen->kind == CHILD_WORKER && *request)
		frame_string(frame, "request", str_from(request));
	else
		frame_raw(frame, "request", STR("null"));
	frame_close(frame);
}

static void frame_children(struct frame *frame, const struct children *children)
{
	int64_t now = clock_ms();
	struct seen seen;
	uint32_t i;

	frame_open_array(frame, "processes");
	for (i = 0; i < children->places; i++)
		if (see(children, i, &seen))
			frame_child(frame, children, &seen, now);
	frame_close_array(frame);
}

static void frame_servers(struct frame *frame, const struct children *children)
{
	const struct config *config = children->config;
	struct breaker_known look;
	size_t i;

	frame_open_array(frame, "model_servers");
	for (i = 0; i < config->model_server_count; i++) {
		look = breaker_look(children->models, children->limit, &config->model_servers[i]);
		frame_open_element(frame);
		frame_string(frame, "server", str_from(config->model_servers[i].name));
		frame_string(frame, "breaker", str_from(breaker_names[look.kind]));
		frame_integer(frame, "failures", look.failures);
		frame_integer(frame, "open_ms", look.open_ms);
		if (look.requests >= 0)
			frame_integer(frame, "requests_open", look.requests);
		else
			frame_raw(frame, "requests_open", STR("null"));
		frame_integer(frame, "most", config->model_servers[i].open_most);
		frame_close(frame);
	}
	frame_close_array(frame);
}

static void put_status(const struct children *children, struct buf *out)
{
	struct frame frame;

	frame_begin(&frame, out, FRAME_NDJSON);
	frame_string(&frame, "version", STR(BANTER_VERSION));
	frame_boolean(&frame, "ending", atomic_load(&children->scoreboard->closing));
	frame_pool(&frame, children);
	frame_sockets(&frame, children);
	frame_servers(&frame, children);
	frame_children(&frame, children);
	frame_end(&frame);
}

void report_show(const void *shown, enum http_shown what, struct buf *out)
{
	const struct children *children = shown;

	if (what == HTTP_STATUS)
		put_status(children, out);
	else
		put_metrics(children, what == HTTP_OPENMETRICS, out);
}
