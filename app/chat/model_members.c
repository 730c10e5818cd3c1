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

const char *model_member_name(enum model_member member)
{
	static const char *const names[MODEL_MEMBERS] = {
		[MODEL_STREAM_OPTIONS] = "stream_options",
		[MODEL_TEMPERATURE] = "temperature",
		[MODEL_MAX_TOKENS] = "max_tokens",
		[MODEL_MAX_COMPLETION_TOKENS] = "max_completion_tokens",
	};

	return names[member];
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

	if (*out || json_member_text(json, model_member_name(member), &text))
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

static void tell(struct str model, unsigned news)
{
	int i;

	for (i = 0; i < MODEL_MEMBERS; i++)
		if (news & 1u << i)
			log_info("the model's server does not take %s for %.*s: no longer sent",
				 model_member_name((enum model_member)i), STR_ARGS(model));
}

void model_members_learn(struct model_members *members, struct str model, unsigned without)
{
	size_t i = find_known(members, model);
	char *name;

	tell(model, without & ~model_members_refused(members, model));
	if (i == MODEL_KNOWN) {
		/* Without memory it is learned another time. */
		name = copy(model);
		if (!name)
			return;
		i = members->next_known++ % MODEL_KNOWN;
		free(members->known[i].model);
		members->known[i].model = name;
	}
	members->known[i].without = without;
}
