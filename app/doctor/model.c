/* The model, asked with the program's own client: what works here works there. */
#include "doctor/model.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/wait.h"
#include "chat/model.h"
#include "doctor/probe.h"
#include "doctor/question.h"

#define ANSWER_MS 60000
#define PROBE_MS 15000
#define TEXT_CAP 8192

static enum status on_text(void *context, struct str text)
{
	(void)text;
	stream_times_token(context, clock_ms());
	return STATUS_OK;
}

static enum status ask(struct model *model, const struct model_server *server,
		       struct stream_times *times)
{
	/* A chatbot without settings of its own. */
	struct model_options options = { .max_tokens = 0 };
	struct wait wait;
	enum status status;
	bool ended = false;

	wait_init(&wait);
	model_begin(model, server, &options);
	model_message(model, MODEL_USER, str_from(DOCTOR_QUESTION));
	times->start = clock_ms();
	status = model_start(model, clock_ms() + ANSWER_MS, NULL);
	while (status == STATUS_OK && !ended)
		status = model_next(model, &wait, CLOCK_NEVER, on_text, times, &ended);
	model_stop(model);
	return status;
}

static void see_refusal(struct doctor *doctor, const struct model_server *server,
			const struct model *model)
{
	const struct config *config = doctor->config;
	const char *cause = model_cause(model);
	int http = model_http_status(model);

	report_find(doctor->report, REPORT_WRONG, "model", "%s",
		    *cause ? cause : "it could not be asked");
	if (http == 401 || http == 403)
		report_step(doctor->report, "%s",
			    *server->key || *server->headers
				    ? "put a key that it accepts into the file that "
				      "BANTER_MODEL_KEY_FILE names"
				    : "BANTER_MODEL_KEY_FILE=/path/of/a/file/with/its/key; none "
				      "is set");
	else if (http == 404)
		report_step(doctor->report,
			    "BANTER_MODEL: does it have a model \"%s\"? BANTER_MODEL_URL: does "
			    "it end in /v1, or whatever stands before /chat/completions?",
			    config->model);
	else if (http == 429)
		report_step(doctor->report, "see your plan and limits with the model's provider");
	else if (http >= 300 && http < 400)
		report_step(doctor->report, "BANTER_MODEL_URL: the address it redirects to");
	else if (http == 400 || http == 422)
		report_step(doctor->report,
			    "BANTER_MODEL (\"%s\") and BANTER_MODEL_MEMBERS: does it take "
			    "both?",
			    config->model);
	else if (http >= 500)
		report_step(doctor->report, "try again; its own log or status page says more");
	else
		report_step(doctor->report,
			    "BANTER_MODEL_URL: is it the address of an OpenAI-compatible "
			    "API, up to and including /v1?");
}

static void see_answer(struct doctor *doctor, const struct model *model)
{
	const struct stream_times *times = &doctor->by_model;
	struct str reason = model_finish_reason(model);

	doctor->model = true;
	if (!times->tokens) {
		report_find(doctor->report, REPORT_WARNING, "model",
			    "\"%s\" answered without text (finish reason: %.*s)",
			    doctor->config->model, STR_ARGS(reason));
		report_step(doctor->report,
			    "max_tokens in BANTER_MODEL_MEMBERS may be too small for a "
			    "model that thinks first");
		return;
	}
	report_find(doctor->report, REPORT_OK, "model",
		    "\"%s\" answers, the first token after %" PRId64 " ms, %" PRId64
		    " tokens in all by its count",
		    doctor->config->model, times->first - times->start, model_tokens_out(model));
	switch (times->tokens > 1 ? stream_compare(times, times) : STREAM_HELD) {
	case STREAM_FLOWS:
		report_find(doctor->report, REPORT_OK, "model streams",
			    "%d pieces over %" PRId64 " ms", times->tokens, stream_spread(times));
		break;
	case STREAM_BRIEF:
		report_find(doctor->report, REPORT_OK, "model streams",
			    "%d pieces within %" PRId64
			    " ms: too quick to tell whether something holds them back",
			    times->tokens, stream_spread(times));
		break;
	default:
		report_find(doctor->report, REPORT_WARNING, "model streams",
			    "the whole answer came in one piece");
		report_step(doctor->report,
			    "switch streaming on in the model's server, or buffering off "
			    "in the proxy in front of it");
	}
}

static bool reach(struct doctor *doctor, const struct model_server *server)
{
	int64_t patience = server->connect_ms + server->first_ms;
	struct buf url;
	struct probe probe = {
		.ca = server->ca,
		.connect_ms = server->connect_ms < PROBE_MS ? server->connect_ms : PROBE_MS,
		.total_ms = patience < PROBE_MS ? patience : PROBE_MS,
	};
	bool there;

	/* Without its query, which may hold a secret. */
	buf_init(&url, TEXT_CAP);
	buf_append(&url, server->url, strcspn(server->url, "?"));
	probe.url = buf_text(&url);
	there = probe_run(&probe) == STATUS_OK && probe.status;

	if (!there) {
		doctor_probe_failed(doctor, "model", &probe, "BANTER_MODEL_URL", "BANTER_MODEL_CA");
	} else {
		report_find(doctor->report, REPORT_OK, "model", "%s is reached%s", probe.url,
			    probe.certificate_end ? ", its certificate holds" : "");
		doctor_probe_date(doctor, "model", &probe);
	}
	probe_clear(&probe);
	buf_clear(&url);
	return there;
}

void doctor_model(struct doctor *doctor)
{
	const struct model_server *server = &doctor->config->model_servers[0];
	struct model *model = NULL;

	if (!doctor->with_model) {
		report_find(doctor->report, REPORT_UNTRIED, "model", "--no-model was given");
		return;
	}
	if (!reach(doctor, server))
		return;
	report_listen(doctor->report);
	if (model_new(doctor->config, &model)) {
		report_find(doctor->report, REPORT_WRONG, "model", "%.*s",
			    STR_ARGS(report_heard(doctor->report)));
		report_step(doctor->report, "mend BANTER_MODEL_URL, BANTER_MODEL_CA or "
					    "BANTER_MODEL_HEADERS");
		return;
	}
	if (ask(model, server, &doctor->by_model) == STATUS_OK)
		see_answer(doctor, model);
	else
		see_refusal(doctor, server, model);
	model_free(model);
}
