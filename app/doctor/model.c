/*
 * The servers and their models, asked with the program's own client: what works here works there.
 * Which ones, doctor/models says.
 */
#include "doctor/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/wait.h"
#include "chat/attempts.h"
#include "chat/model.h"
#include "cli/interrupt.h"
#include "doctor/model_steps.h"
#include "doctor/models.h"
#include "doctor/probe.h"
#include "doctor/question.h"

#define ALL_MS 600000	/* for all of them */
#define ANSWER_MS 60000 /* for an answer, once it began */
#define PROBE_MS 15000
#define SLOW_MS 15000 /* to the first token: it seems to have been loaded for it */
#define TEXT_CAP 8192

static enum status on_text(void *context, struct str text)
{
	(void)text;
	stream_times_token(context, clock_ms());
	return STATUS_OK;
}

static enum status ask(struct model *model, const struct asking *asking)
{
	/* A chatbot without settings of its own. */
	struct model_options options = { .name = asking->name };
	struct model_refused refused = { .members = 0 };
	int64_t enough = clock_ms() + asking->server->first_ms + ANSWER_MS;
	struct wait wait;
	enum status status;
	bool ended = false;
	int requests = 0;

	wait_init(&wait);
	/* Without what it does not take, as an exchange would. */
	do {
		options.without.members |= refused.members;
		options.without.values |= refused.values;
		model_begin(model, asking->server, &options);
		model_message(model, MODEL_USER, str_from(DOCTOR_QUESTION));
		asking->times->start = clock_ms();
		status = model_start(model, enough < asking->until ? enough : asking->until, NULL);
		while (status == STATUS_OK && !ended)
			status = model_next(model, &wait, CLOCK_NEVER, on_text, asking->times,
					    &ended);
		model_stop(model);
		refused = model_failed(model)->refused;
	} while (status == STATUS_REFUSED && refused.members && ++requests < ATTEMPTS_MOST);
	return status;
}

static void see_failure(const struct asking *asking, const struct model *model, enum status status)
{
	struct report *report = asking->doctor->report;
	const char *cause = model_cause(model);

	if (status == STATUS_TIMEOUT && clock_ms() >= asking->until) {
		report_find(report, REPORT_UNTRIED, "model", "%s: no time was left for its answer",
			    asking->words);
		return;
	}
	report_find(report, REPORT_WRONG, "model", "%s: %s", asking->words,
		    *cause ? cause : "it could not be asked");
	if (status == STATUS_TIMEOUT)
		model_step_late(asking, model_http_status(model) != 0);
	else
		model_step_refused(asking, model_http_status(model));
}

/* Of the others only what is wrong is said: a line each is enough. */
static void see_pace(const struct asking *asking)
{
	const struct stream_times *times = asking->times;
	struct report *report = asking->doctor->report;
	enum stream_pace pace = times->tokens > 1 ? stream_compare(times, times) : STREAM_HELD;

	if (!asking->own && (pace == STREAM_FLOWS || pace == STREAM_BRIEF))
		return;
	switch (pace) {
	case STREAM_FLOWS:
		report_find(report, REPORT_OK, "model streams", "%s: %d pieces over %" PRId64 " ms",
			    asking->words, times->tokens, stream_spread(times));
		break;
	case STREAM_BRIEF:
		report_find(report, REPORT_OK, "model streams",
			    "%s: %d pieces within %" PRId64
			    " ms: too quick to tell whether something holds them back",
			    asking->words, times->tokens, stream_spread(times));
		break;
	default:
		report_find(report, REPORT_WARNING, "model streams",
			    "%s: the whole answer came in one piece", asking->words);
		report_step(report, "switch streaming on in the model's server, or buffering off "
				    "in the proxy in front of it");
	}
}

static void see_answer(const struct asking *asking, const struct model *model)
{
	const struct stream_times *times = asking->times;
	struct report *report = asking->doctor->report;
	struct str reason = model_finish_reason(model);
	int64_t first = times->first - times->start;
	char setting[MODEL_SETTING_SIZE], count[64] = ""; /* not all of them count */

	if (!times->tokens) {
		report_find(report, REPORT_WARNING, "model",
			    "%s answered without text (finish reason: %.*s)", asking->words,
			    STR_ARGS(reason));
		report_step(report,
			    "max_tokens in %s may be too small for a model that thinks first",
			    model_setting(asking->server, "MEMBERS", &setting));
		return;
	}
	if (model_tokens_out(model) >= 0)
		snprintf(count, sizeof(count), ", %" PRId64 " tokens in all by its count",
			 model_tokens_out(model));
	report_find(report, first > SLOW_MS ? REPORT_WARNING : REPORT_OK, "model",
		    "%s answers, the first token after %" PRId64 " ms%s", asking->words, first,
		    count);
	if (first > SLOW_MS)
		report_step(report,
			    "if it loaded the model first: have it keep the model (Ollama: "
			    "OLLAMA_KEEP_ALIVE=-1); %s and BANTER_JSON_TIME must be longer than "
			    "that takes",
			    model_setting(asking->server, "FIRST_TIME", &setting));
	see_pace(asking);
}

static bool reach(struct doctor *doctor, const struct model_server *server)
{
	int64_t patience = server->connect_ms + server->first_ms;
	char setting[MODEL_SETTING_SIZE], ca[MODEL_SETTING_SIZE];
	struct buf url;
	struct probe probe = {
		.ca = server->ca,
		.connect_ms = server->connect_ms < PROBE_MS ? server->connect_ms : PROBE_MS,
		.total_ms = patience < PROBE_MS ? patience : PROBE_MS,
	};
	bool several = doctor->config->model_server_count > 1, there;

	/* Without its query, which may hold a secret. */
	buf_init(&url, TEXT_CAP);
	buf_append(&url, server->url, strcspn(server->url, "?"));
	probe.url = buf_text(&url);
	there = probe_run(&probe) == STATUS_OK && probe.status;

	if (!there) {
		doctor_probe_failed(doctor, "model", &probe, model_setting(server, "URL", &setting),
				    model_setting(server, "CA", &ca));
	} else {
		report_find(doctor->report, REPORT_OK, "model", "%s%s%s is reached%s",
			    several ? server->name : "", several ? ": " : "", probe.url,
			    probe.certificate_end ? ", its certificate holds" : "");
		doctor_probe_date(doctor, "model", &probe);
	}
	probe_clear(&probe);
	buf_clear(&url);
	return there;
}

/* How one is spoken of: by its own name too, and by the server's where there are several. */
static void name_it(struct asking *asking)
{
	size_t size = sizeof(asking->words);
	int n = snprintf(asking->words, size, "\"%.*s\"", STR_ARGS(asking->name));

	if (!str_equal(asking->name, asking->theirs) && (size_t)n < size)
		n += snprintf(asking->words + n, size - (size_t)n, " (\"%.*s\")",
			      STR_ARGS(asking->theirs));
	if (asking->doctor->config->model_server_count > 1 && (size_t)n < size)
		snprintf(asking->words + n, size - (size_t)n, " on %s", asking->server->name);
}

static void try_one(struct doctor *doctor, struct model *model, const struct models_asked *asked,
		    int64_t until)
{
	const struct config *config = doctor->config;
	struct stream_times other = { .tokens = 0 };
	struct asking asking = {
		.doctor = doctor,
		.server = asked->server,
		.name = str_from(asked->name),
		.times = &other,
		.until = until,
	};
	enum status status;

	asking.own = asked->server == &config->model_servers[0] &&
		     strcmp(asked->name, config->model) == 0;
	if (asking.own)
		asking.times = &doctor->by_model;
	model_server_serves(asking.server, asking.name, &asking.theirs);
	name_it(&asking);
	status = ask(model, &asking);
	if (status == STATUS_OK)
		see_answer(&asking, model);
	else
		see_failure(&asking, model, status);
	doctor->model = doctor->model || (asking.own && status == STATUS_OK);
}

static void try_all(struct doctor *doctor, struct model *model, const struct models *models)
{
	int64_t until = clock_ms() + ALL_MS;
	const struct model_server *server = NULL;
	size_t i, late = models->left_out;
	bool there = false;

	for (i = 0; i < models->n && !interrupt_came(); i++) {
		if (clock_ms() >= until) {
			late += models->n - i;
			break;
		}
		if (models->all[i].server != server) {
			server = models->all[i].server;
			there = reach(doctor, server);
		}
		if (there)
			try_one(doctor, model, &models->all[i], until);
	}
	if (late)
		report_find(doctor->report, REPORT_UNTRIED, "model",
			    "%zu more that chatbots name: these are enough for once", late);
}

void doctor_model(struct doctor *doctor)
{
	struct model *model = NULL;
	struct models models;

	if (!doctor->with_model) {
		report_find(doctor->report, REPORT_UNTRIED, "model", "--no-model was given");
		return;
	}
	if (models_find(doctor, &models)) {
		report_find(doctor->report, REPORT_WRONG, "model", "no memory");
		goto out;
	}
	report_listen(doctor->report);
	if (model_new(doctor->config, &model)) {
		report_find(doctor->report, REPORT_WRONG, "model", "%.*s",
			    STR_ARGS(report_heard(doctor->report)));
		report_step(doctor->report, "mend its URL, CA or HEADERS");
		goto out;
	}
	try_all(doctor, model, &models);
	model_free(model);
out:
	models_clear(&models);
}
