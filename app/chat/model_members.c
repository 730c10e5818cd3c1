/*
 * Which members a server refuses differs by server and by model (OpenAI's reasoning models know
 * neither max_tokens nor temperature), so what was learned is kept by the model's name, and only
 * once a request without them was taken: an error's words may mislead.
 */
#include "chat/model_members.h"

#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/log.h"
#include "wire/json.h"
#include "wire/json_span.h"

#define EXTRA_CAP (16 << 10)

static const char *const own_names[MODEL_EXTRA] = {
	[MODEL_STREAMED] = "stream",
	[MODEL_STREAM_OPTIONS] = "stream_options",
	[MODEL_TEMPERATURE] = "temperature",
	[MODEL_MAX_TOKENS] = "max_tokens",
	[MODEL_MAX_COMPLETION_TOKENS] = "max_completion_tokens",
};

struct str model_members_name(const struct model_members *members, enum model_member member)
{
	struct str left = buf_view(&members->extra), name = STR_NONE, whole;
	int i = MODEL_EXTRA - 1;

	if (member < MODEL_EXTRA)
		return str_from(own_names[member]);
	while (i < (int)member && json_span_take(&left, &name, &whole))
		i++;
	return i == (int)member ? name : STR_NONE;
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

	if (*out || json_member_text(json, own_names[member], &text))
		return STATUS_OK;
	*out = copy(text);
	return *out ? STATUS_OK : STATUS_NOMEM;
}

static bool asks_for_several(const struct json *json)
{
	int64_t n = 1;

	return json_get_integer(json_member(json_root(json), "n"), &n) && n > 1;
}

/* Takes the operator's members apart; config has looked that they are an object. */
static enum status take_apart(struct model_members *members, struct str object)
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
	enum status status = json_parse(object, &json);

	if (status)
		return status;
	status = copy_member(json, MODEL_TEMPERATURE, &members->temperature);
	if (status == STATUS_OK)
		status = copy_member(json, MODEL_MAX_COMPLETION_TOKENS, &members->limit);
	members->newer_limit = members->limit;
	if (status == STATUS_OK)
		status = copy_member(json, MODEL_MAX_TOKENS, &members->limit);
	members->several = asks_for_several(json);
	json_span_others(object, ours, COUNT(ours), &members->extra);
	if (status == STATUS_OK)
		status = buf_check(&members->extra);
	json_free(json);
	return status;
}

enum status model_members_init(struct model_members *members, struct str object)
{
	*members = (struct model_members){ .next_known = 0 };
	buf_init(&members->extra, EXTRA_CAP);
	return object.n ? take_apart(members, object) : STATUS_OK;
}

void model_members_clear(struct model_members *members)
{
	size_t i;

	for (i = 0; i < MODEL_KNOWN; i++)
		free(members->known[i].model);
	free(members->temperature);
	free(members->limit);
	buf_clear(&members->extra);
	*members = (struct model_members){ .next_known = 0 };
}

static size_t find_known(const struct model_members *members, struct str model)
{
	size_t i;

	for (i = 0; i < MODEL_KNOWN; i++)
		if (members->known[i].model && str_equal(str_from(members->known[i].model), model))
			break;
	return i;
}

unsigned model_members_refused(const struct model_members *members, struct str model)
{
	size_t i = find_known(members, model);

	return i < MODEL_KNOWN ? members->known[i].without : 0;
}

bool model_members_takes(const struct model_members *members, struct str model,
			 enum model_member member, struct str value)
{
	size_t i = find_known(members, model), k;
	const struct model_value *at;

	for (k = 0; i < MODEL_KNOWN && k < MODEL_VALUES; k++) {
		at = &members->known[i].values[k];
		if (at->member == member && str_equal(str_from(at->text), value))
			return false;
	}
	return true;
}

/* The model's place, made where there is none. NULL: no memory; it is learned another time. */
static struct model_known *get_known(struct model_members *members, struct str model)
{
	size_t i = find_known(members, model);
	char *name;

	if (i < MODEL_KNOWN)
		return &members->known[i];
	name = copy(model);
	if (!name)
		return NULL;
	i = members->next_known++ % MODEL_KNOWN;
	free(members->known[i].model);
	members->known[i] = (struct model_known){ .model = name };
	return &members->known[i];
}

static void tell(const struct model_members *members, struct str model, unsigned news)
{
	struct str name;
	int i;

	for (i = 0; i < MODEL_MEMBERS; i++) {
		if (!(news & 1u << i))
			continue;
		name = model_members_name(members, (enum model_member)i);
		log_info("the model's server does not take %.*s for %.*s: no longer sent",
			 STR_ARGS(name), STR_ARGS(model));
	}
}

void model_members_learn(struct model_members *members, struct str model, unsigned without)
{
	struct model_known *known = without ? get_known(members, model) : NULL;

	if (!known)
		return;
	tell(members, model, without & ~known->without);
	known->without |= without;
}

void model_members_learn_value(struct model_members *members, struct str model,
			       enum model_member member, struct str value)
{
	struct model_known *known;
	struct model_value *at;

	if (value.n >= MODEL_VALUE_SIZE || !model_members_takes(members, model, member, value))
		return;
	known = get_known(members, model);
	if (!known)
		return;
	log_info("the model's server does not take %s %.*s for %.*s: no longer sent",
		 own_names[member], STR_ARGS(value), STR_ARGS(model));
	at = &known->values[known->next_value++ % MODEL_VALUES];
	*at = (struct model_value){ .member = member };
	memcpy(at->text, value.p, value.n);
}
