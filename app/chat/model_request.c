/*
 * Requests.  Which members a server refuses differs by server and by model (OpenAI's reasoning
 * models know neither max_tokens nor temperature), so what was learned is kept by the model's name,
 * and only once a request without them was taken: an error's words may mislead.
 */
#include "chat/model_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/log.h"
#include "wire/json.h"
#include "wire/json_span.h"

#define REQUEST_CAP (16 << 20)
#define EXTRA_CAP (16 << 10)

static const char *const names[MODEL_MEMBERS] = {
	[MODEL_STREAM_OPTIONS] = "stream_options",
	[MODEL_TEMPERATURE] = "temperature",
	[MODEL_MAX_TOKENS] = "max_tokens",
	[MODEL_MAX_COMPLETION_TOKENS] = "max_completion_tokens",
};

static bool says(unsigned set, enum model_member member)
{
	return set & 1u << member;
}

static char *copy(struct str text)
{
	char *copied = malloc(text.n + 1);

	if (!copied)
		return NULL;
	memcpy(copied, text.p, text.n);
	copied[text.n] = '\0';
	return copied;
}

/* A copy of a member's value. *out stays NULL where there is none, or null. */
static enum status copy_member(const struct json *json, enum model_member member, char **out)
{
	struct str text;

	if (*out || json_member_text(json, names[member], &text))
		return STATUS_OK;
	*out = copy(text);
	return *out ? STATUS_OK : STATUS_NOMEM;
}

/* Takes the operator's members apart; config has looked that they are an object. */
static enum status take_extra(struct model_request *request, struct str members)
{
	/* Ours win: a name that stood twice would mean what the server likes. */
	static const char *const ours[] = {
		"model",
		"messages",
		"stream",
		"stream_options",
		"temperature",
		"max_tokens",
		"max_completion_tokens",
	};
	struct json *json = NULL;
	enum status status;

	if (!members.n)
		return STATUS_OK;
	status = json_parse(members, &json);
	if (status)
		return status;
	status = copy_member(json, MODEL_TEMPERATURE, &request->fallback_temperature);
	if (status == STATUS_OK)
		status = copy_member(json, MODEL_MAX_COMPLETION_TOKENS, &request->fallback_limit);
	request->newer_limit = request->fallback_limit;
	if (status == STATUS_OK)
		status = copy_member(json, MODEL_MAX_TOKENS, &request->fallback_limit);
	json_span_others(members, ours, COUNT(ours), &request->extra);
	if (status == STATUS_OK)
		status = buf_check(&request->extra);
	json_free(json);
	return status;
}

enum status model_request_init(struct model_request *request, const struct config *config)
{
	*request = (struct model_request){ .model_n = 0 };
	buf_init(&request->body, REQUEST_CAP);
	buf_init(&request->extra, EXTRA_CAP);
	request->fallback_name = strdup(config->model);
	if (!request->fallback_name)
		return STATUS_NOMEM;
	return take_extra(request, str_from(config->model_servers[0].members));
}

void model_request_clear(struct model_request *request)
{
	size_t i;

	for (i = 0; i < MODEL_KNOWN; i++)
		free(request->known[i].model);
	free(request->fallback_name);
	free(request->fallback_temperature);
	free(request->fallback_limit);
	buf_clear(&request->extra);
	buf_wipe(&request->body);
	*request = (struct model_request){ .model_n = 0 };
}

static struct str model_of(const struct model_request *request)
{
	return (struct str){ buf_text(&request->body), request->model_n };
}

/* What the server is known to refuse of this model. */
static struct model_known *find_known(struct model_request *request)
{
	struct str model = model_of(request);
	size_t i;

	for (i = 0; i < MODEL_KNOWN; i++)
		if (request->known[i].model && str_equal(str_from(request->known[i].model), model))
			return &request->known[i];
	return NULL;
}

static void put_raw(struct model_request *request, enum model_member member, struct str json)
{
	struct model_span *span = &request->sent[member];

	span->at = request->body.len;
	frame_raw(&request->frame, names[member], json);
	span->n = request->body.len - span->at;
}

static void put_limit(struct model_request *request)
{
	put_raw(request,
		request->newer_limit || says(request->without, MODEL_MAX_TOKENS)
			? MODEL_MAX_COMPLETION_TOKENS
			: MODEL_MAX_TOKENS,
		request->limit);
}

/* What may be left out. The first member is always the model: these have a comma before them. */
static void put_members(struct model_request *request, const struct model_options *options)
{
	struct str temperature = options->temperature;

	if (!temperature.p)
		temperature = str_from(request->fallback_temperature);
	request->limit = str_from(request->fallback_limit);
	if (options->max_tokens) {
		snprintf(request->number, sizeof(request->number), "%lld",
			 (long long)options->max_tokens);
		request->limit = str_from(request->number);
	}
	memset(request->sent, 0, sizeof(request->sent));
	if (temperature.p && !says(request->without, MODEL_TEMPERATURE))
		put_raw(request, MODEL_TEMPERATURE, temperature);
	if (request->limit.p && !says(request->without, MODEL_MAX_COMPLETION_TOKENS))
		put_limit(request);
	frame_boolean(&request->frame, "stream", true);
	if (!says(request->without, MODEL_STREAM_OPTIONS))
		put_raw(request, MODEL_STREAM_OPTIONS, STR("{\"include_usage\":true}"));
}

void model_request_begin(struct model_request *request, const struct model_options *options)
{
	struct frame *frame = &request->frame;
	struct model_known *known;

	buf_reset(&request->body);
	frame_begin(frame, &request->body, FRAME_JSON);
	frame_string(frame, "model",
		     options->name.p ? options->name : str_from(request->fallback_name));
	request->model_n = request->body.len;
	known = find_known(request);
	request->without = known ? known->without : 0;
	request->unproven = false;
	put_members(request, options);
	buf_str(&request->body, buf_view(&request->extra));
	frame_open_array(frame, "messages");
	if (options->system.n)
		model_request_message(request, STR("system"), options->system);
}

void model_request_message(struct model_request *request, struct str role, struct str text)
{
	struct frame *frame = &request->frame;

	frame_open_element(frame);
	frame_string(frame, "role", role);
	frame_string(frame, "content", text);
	frame_close(frame);
}

enum status model_request_end(struct model_request *request)
{
	frame_close_array(&request->frame);
	frame_end(&request->frame);
	return buf_check(&request->body);
}

/* Takes a member out of the body; false: it is not in there. */
static bool cut(struct model_request *request, enum model_member member)
{
	struct model_span gone = request->sent[member];
	struct buf *body = &request->body;
	size_t i;

	if (!gone.n)
		return false;
	memmove(body->data + gone.at, body->data + gone.at + gone.n, body->len - gone.at - gone.n);
	buf_truncate(body, body->len - gone.n);
	for (i = 0; i < MODEL_MEMBERS; i++)
		if (request->sent[i].at > gone.at)
			request->sent[i].at -= gone.n;
	request->sent[member].n = 0;
	request->without |= 1u << member;
	return true;
}

enum status model_request_yield(struct model_request *request, unsigned members)
{
	bool newer = says(members, MODEL_MAX_COMPLETION_TOKENS), less = false;
	unsigned limits = 1u << MODEL_MAX_TOKENS | 1u << MODEL_MAX_COMPLETION_TOKENS;

	if (says(members, MODEL_STREAM_OPTIONS))
		less |= cut(request, MODEL_STREAM_OPTIONS);
	if (says(members, MODEL_TEMPERATURE))
		less |= cut(request, MODEL_TEMPERATURE);
	if (members & limits && cut(request, MODEL_MAX_COMPLETION_TOKENS)) {
		less = true;
	} else if (members & limits && cut(request, MODEL_MAX_TOKENS)) {
		less = true;
		if (newer) {
			/* Behind the messages, before the brace that ends it all. */
			buf_truncate(&request->body, request->body.len - 1);
			put_limit(request);
			frame_end(&request->frame);
		} else {
			request->without |= 1u << MODEL_MAX_COMPLETION_TOKENS;
		}
	}
	if (!less)
		return STATUS_REFUSED;
	request->unproven = true;
	return buf_check(&request->body);
}

static void tell(const struct model_request *request, unsigned news)
{
	struct str model = str_skip(model_of(request), sizeof("{\"model\":") - 1);
	size_t i;

	for (i = 0; i < MODEL_MEMBERS; i++)
		if (says(news, (enum model_member)i))
			log_info("the model's server does not take %s for %.*s: no longer sent",
				 names[i], STR_ARGS(model));
}

void model_request_taken(struct model_request *request)
{
	struct model_known *known;
	char *model;

	if (!request->unproven)
		return;
	request->unproven = false;
	known = find_known(request);
	tell(request, request->without & ~(known ? known->without : 0));
	if (!known) {
		/* Without memory it is learned another time. */
		model = copy(model_of(request));
		if (!model)
			return;
		known = &request->known[request->next_known++ % MODEL_KNOWN];
		free(known->model);
		known->model = model;
	}
	known->without = request->without;
}
