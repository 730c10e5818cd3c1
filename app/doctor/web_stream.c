/* The pace of a stream through the web server, beside its pace nearer to its source. */
#include "doctor/web_stream.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "doctor/question.h"
#include "doctor/request.h"
#include "doctor/server_names.h"

#define ANSWER_MS 60000
#define TEXT_CAP 8192

static void say_held(struct doctor *doctor, const struct probe *probe,
		     const struct stream_times *here, const struct stream_times *there)
{
	struct str via = probe_header(probe, "Via");

	report_find(doctor->report, REPORT_WRONG, "web stream",
		    "tokens are held back between %s and the client: %d tokens in %d pieces over "
		    "%" PRId64 " ms here, in %d over %" PRId64 " ms there",
		    there == &doctor->by_pool ? "the pool's socket" : "the model", here->tokens,
		    here->arrivals, stream_spread(here), there->arrivals, stream_spread(there));
	report_step(doctor->report, "%s", server_names_advice(probe)->unbuffer);
	if (via.p || probe_header(probe, "CF-Ray").p)
		report_step(doctor->report,
			    "something stands in front of it (%.*s): --url with the web "
			    "server's own address shows which of them it is",
			    STR_ARGS(via.p ? via : STR("Cloudflare")));
}

static void see_pace(struct doctor *doctor, const struct probe *probe,
		     const struct stream_times *here)
{
	const struct stream_times *there =
		doctor->by_pool.tokens ? &doctor->by_pool : &doctor->by_model;

	switch (stream_compare(here, there)) {
	case STREAM_FLOWS:
		report_find(doctor->report, REPORT_OK, "web stream",
			    "tokens pass as they come: %d in %d pieces over %" PRId64 " ms",
			    here->tokens, here->arrivals, stream_spread(here));
		break;
	case STREAM_BRIEF:
		report_find(doctor->report, REPORT_WARNING, "web stream",
			    "%d tokens within %" PRId64
			    " ms: the answer was over too quickly to tell whether they are held "
			    "back",
			    here->tokens, stream_spread(here));
		report_step(doctor->report, "try again with a slower model");
		break;
	default:
		say_held(doctor, probe, here, there);
	}
}

static void see_headers(struct doctor *doctor, const struct probe *probe)
{
	struct str packed = probe_header(probe, "Content-Encoding");
	struct str cache = probe_header(probe, "Cache-Control");

	if (packed.n) {
		report_find(doctor->report, REPORT_WARNING, "web stream",
			    "it is compressed (%.*s): some browsers and proxies then wait for more "
			    "before they hand on",
			    STR_ARGS(packed));
		report_step(doctor->report, "%s", server_names_advice(probe)->compression);
	}
	if (!cache.p || !memmem(cache.p, cache.n, "no-transform", 12)) {
		report_find(
			doctor->report, REPORT_WARNING, "web stream",
			"Cache-Control: no-transform gets lost: proxies further on may compress "
			"and hold back");
		report_step(doctor->report, "let the web server pass Cache-Control unchanged");
	}
}

static void stream_failed(struct doctor *doctor, const struct probe *probe,
			  const struct stream_view *view)
{
	static const struct {
		int status;
		const char *step;
	} steps[] = {
		{ 401, "does the pool use this database, and does the web server pass x-api-key?" },
		{ 402, "the key's workspace has no credits left: banterctl credits add" },
		{ 429, "a limit is used up: try again in a minute" },
		{ 502, "the web server lost the pool: its log and the pool's" },
		{ 503, "the pool is full or the database away: the pool's log" },
		{ 504, "the web server gave up waiting: its read time-out above 60 s" },
		{ 200, "the pool's log says what happened" },
		{ 0, "the web server's log and the pool's say what happened" },
	};
	size_t i = 0;

	if (probe->status != 200)
		report_find(doctor->report, REPORT_WRONG, "web stream", "it is answered with %d",
			    probe->status);
	else
		report_find(doctor->report, REPORT_WRONG, "web stream", "it %s",
			    view->failed ? "ended in an error" : "was cut before its end");
	while (steps[i].status && steps[i].status != probe->status)
		i++;
	report_step(doctor->report, "%s", steps[i].step);
}

static void on_stream(void *context, struct str bytes)
{
	stream_view_feed(context, bytes, clock_ms());
}

void doctor_web_stream(struct doctor *doctor)
{
	struct stream_view view;
	struct doctor_request request;
	struct buf body;

	buf_init(&body, TEXT_CAP);
	buf_printf(&body, "{\"sessionId\":\"%s-web\",\"message\":\"" DOCTOR_QUESTION "\"}",
		   doctor->tenant.session);
	stream_view_init(&view);
	doctor_request_init(&request, doctor, "/v1/chat/stream");
	buf_printf(&request.headers, "\nx-api-key: %s", doctor->tenant.key);
	request.probe.body = buf_view(&body);
	request.probe.total_ms = ANSWER_MS;
	request.probe.bytes = on_stream;
	request.probe.context = &view;
	if (doctor_request_run(&request, doctor, "web stream")) {
		if (view.done && view.times.tokens) {
			see_pace(doctor, &request.probe, &view.times);
			see_headers(doctor, &request.probe);
		} else {
			stream_failed(doctor, &request.probe, &view);
		}
	}
	doctor_request_clear(&request);
	stream_view_clear(&view);
	buf_clear(&body);
}
