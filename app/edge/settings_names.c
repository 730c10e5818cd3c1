/*
 * Names, values and the environment.  Not for what a value means.  Rests on environ and on
 * wire/config's table.
 */
#include "edge/settings_names.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/count.h"
#include "base/log.h"
#include "base/secret.h"
#include "wire/config.h"

#define PREFIX "BANTER_"

void settings_pairs_clear(struct settings_pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		explicit_bzero(pairs->all[i].value, strlen(pairs->all[i].value));
		free(pairs->all[i].name);
		free(pairs->all[i].value);
	}
	free(pairs->all);
	*pairs = (struct settings_pairs){ 0 };
}

enum status settings_pairs_add(struct settings_pairs *pairs, struct str name, struct str value)
{
	struct settings_pair pair = { strndup(name.p, name.n), strndup(value.p, value.n) };
	struct settings_pair *all = NULL;

	if (pair.name && pair.value)
		all = reallocarray(pairs->all, pairs->n + 1, sizeof(*all));
	if (!all) {
		free(pair.name);
		free(pair.value);
		return STATUS_NOMEM;
	}
	pairs->all = all;
	all[pairs->n++] = pair;
	return STATUS_OK;
}

const char *settings_pairs_get(const struct settings_pairs *pairs, struct str name)
{
	size_t i;

	for (i = 0; i < pairs->n; i++)
		if (str_equal(str_from(pairs->all[i].name), name))
			return pairs->all[i].value;
	return NULL;
}

struct str settings_without_suffix(struct str name)
{
	struct str suffix = STR(SETTINGS_FILE_SUFFIX);

	if (name.n <= suffix.n || !str_equal(str_skip(name, name.n - suffix.n), suffix))
		return STR_NONE;
	return (struct str){ name.p, name.n - suffix.n };
}

enum settings_naming settings_naming_of(struct str name)
{
	static const char *const of_a_client[] = {
		"BANTER_URL",	   "BANTER_WIDGET_KEY", "BANTER_WORKSPACE_KEY",
		"BANTER_SITE_KEY", "BANTER_CHATBOT_ID",
	};
	struct str base = settings_without_suffix(name);
	struct config_entry entry;
	size_t i;

	for (i = 0; i < COUNT(of_a_client); i++)
		if (str_equal(name, str_from(of_a_client[i])))
			return SETTINGS_CLIENT;
	for (i = 0; config_entry_at(i, &entry); i++) {
		if (str_equal(name, str_from(entry.name)) ||
		    (entry.also && str_equal(name, str_from(entry.also))))
			return entry.secret ? SETTINGS_SECRET : SETTINGS_VALUE;
		if (entry.secret && base.p && str_equal(base, str_from(entry.name)))
			return SETTINGS_FILE;
	}
	return SETTINGS_NONE;
}

enum settings_naming settings_naming_of_server(struct str name)
{
	enum settings_naming naming = SETTINGS_NONE;
	struct buf whole;

	buf_init(&whole, 256);
	buf_printf(&whole, CONFIG_SERVER_PREFIX "%.*s", STR_ARGS(name));
	if (buf_check(&whole) == STATUS_OK)
		naming = settings_naming_of(buf_view(&whole));
	buf_clear(&whole);
	return naming;
}

enum status settings_take_environment(struct settings_pairs *pairs)
{
	enum status status = STATUS_OK;
	struct str name;
	enum settings_naming naming;
	char **at, *equals;
	size_t i;

	for (at = environ; at && *at && status == STATUS_OK; at++) {
		equals = strchr(*at, '=');
		if (!equals)
			continue;
		name = (struct str){ *at, (size_t)(equals - *at) };
		naming = settings_naming_of(name);
		if (naming == SETTINGS_NONE || naming == SETTINGS_CLIENT) {
			if (naming == SETTINGS_NONE && str_starts(name, STR(PREFIX)))
				log_warn("%.*s in the environment is no setting of this program",
					 STR_ARGS(name));
			continue;
		}
		if (!settings_pairs_get(pairs, name))
			status = settings_pairs_add(pairs, name, str_from(equals + 1));
		if (naming == SETTINGS_SECRET)
			explicit_bzero(equals + 1, strlen(equals + 1));
	}
	for (i = 0; i < pairs->n; i++)
		if (settings_naming_of(str_from(pairs->all[i].name)) == SETTINGS_SECRET)
			secret_scrub_env(pairs->all[i].name);
	return status;
}
