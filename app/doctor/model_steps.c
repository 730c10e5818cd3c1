/* Steps for a model that did not answer: which of a server's settings, or what at the server. */
#include "doctor/model_steps.h"

#include <stdio.h>
#include <string.h>

const char *model_setting(const struct model_server *server, const char *name,
			  char (*text)[MODEL_SETTING_SIZE])
{
	if (strcmp(server->name, MODEL_SERVER_DEFAULT) == 0)
		snprintf(*text, sizeof(*text), CONFIG_SERVER_PREFIX "%s", name);
	else
		snprintf(*text, sizeof(*text), "[%s] %s", server->name, name);
	return *text;
}

/* Where the model's name stands that was asked for. */
static const char *named_by(const struct asking *asking, char (*text)[MODEL_SETTING_SIZE])
{
	if (*asking->server->models)
		return model_setting(asking->server, "MODELS", text);
	return str_equal(asking->name, str_from(asking->doctor->config->model))
		       ? "BANTER_MODEL"
		       : "banterctl chatbot set CHATBOT model=…";
}

static void say_key(const struct asking *asking)
{
	const struct model_server *server = asking->server;
	char file[MODEL_SETTING_SIZE];

	model_setting(server, "KEY_FILE", &file);
	if (*server->key || *server->headers)
		report_step(asking->doctor->report,
			    "put a key that it accepts into the file that %s names", file);
	else
		report_step(asking->doctor->report, "%s=/path/of/a/file/with/its/key; none is set",
			    file);
}

/* Nobody hears of a model being loaded but by waiting. */
void model_step_late(const struct asking *asking, bool begun)
{
	const char *name = begun ? "IDLE_TIME" : "FIRST_TIME";
	struct report *report = asking->doctor->report;
	char setting[MODEL_SETTING_SIZE];

	report_step(report, "if it loads the model when it is asked: have it keep the model "
			    "(Ollama: OLLAMA_KEEP_ALIVE=-1), and try again");
	report_step(
		report,
		"or give it more time: %s=300s (and BANTER_JSON_TIME, for answers in one piece)",
		model_setting(asking->server, name, &setting));
}

void model_step_refused(const struct asking *asking, int http)
{
	struct report *report = asking->doctor->report;
	char url[MODEL_SETTING_SIZE], members[MODEL_SETTING_SIZE], named[MODEL_SETTING_SIZE];

	model_setting(asking->server, "URL", &url);
	if (http == 401 || http == 403)
		say_key(asking);
	else if (http == 404)
		report_step(report,
			    "%s: does it have a model \"%.*s\"? %s: does it end in /v1, or "
			    "whatever stands before /chat/completions?",
			    named_by(asking, &named), STR_ARGS(asking->theirs), url);
	else if (http == 429)
		report_step(report, "see your plan and limits with the model's provider");
	else if (http >= 300 && http < 400)
		report_step(report, "%s: the address it redirects to", url);
	else if (http == 400 || http == 422)
		report_step(report, "%s (\"%.*s\") and %s: does it take both?",
			    named_by(asking, &named), STR_ARGS(asking->theirs),
			    model_setting(asking->server, "MEMBERS", &members));
	else if (http >= 500)
		report_step(report, "try again; its own log or status page says more");
	else
		report_step(report,
			    "%s: is it the address of an OpenAI-compatible API, up to and "
			    "including /v1?",
			    url);
}
