/*
 * Reads the settings: the environment once, at the start (its secrets are wiped there and then);
 * the files at every load (edge/settings_file).  What a value means is wire/config's.
 */
#include "edge/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "edge/settings_file.h"
#include "edge/settings_names.h"

#define WHY_CAP 2048

struct settings {
	char *file; /* NULL: none */
	struct settings_pairs environment, overrides;
};

enum status settings_new(const char *file, struct settings **out)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	enum status status = STATUS_NOMEM;

	if (!settings)
		return STATUS_NOMEM;
	if (file) {
		settings->file = strdup(file);
		if (!settings->file)
			goto out;
	}
	status = settings_take_environment(&settings->environment);
	if (status != STATUS_OK)
		goto out;
	*out = settings;
	return STATUS_OK;
out:
	settings_free(settings);
	return status;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	settings_pairs_clear(&settings->environment);
	settings_pairs_clear(&settings->overrides);
	free(settings->file);
	free(settings);
}

enum status settings_export(const struct settings *settings)
{
	const struct settings_pairs *pairs = &settings->environment;
	size_t i;

	for (i = 0; i < pairs->n; i++)
		if (setenv(pairs->all[i].name, pairs->all[i].value, 1))
			return STATUS_NOMEM;
	return STATUS_OK;
}

enum status settings_override(struct settings *settings, const char *name, const char *value)
{
	return settings_pairs_add(&settings->overrides, str_from(name), str_from(value));
}

/* `why` = where: what, once config_set() or a reader has said what is wrong. */
static enum status explain(enum status status, const char *where, const struct buf *what,
			   struct buf *why)
{
	if (status == STATUS_INVALID)
		buf_printf(why, "%s: %s", where, buf_text(what));
	return status;
}

/* One setting as the environment has it. */
static enum status load_one(const struct settings_pairs *pairs, const struct config_entry *entry,
			    struct config *config, struct buf *why)
{
	const char *value = settings_pairs_get(pairs, str_from(entry->name)), *path = NULL;
	enum status status = STATUS_NOMEM;
	struct buf name;

	buf_init(&name, 256);
	buf_printf(&name, "%s" SETTINGS_FILE_SUFFIX, entry->name);
	if (buf_check(&name) != STATUS_OK)
		goto out;
	if (entry->secret)
		path = settings_pairs_get(pairs, buf_view(&name));
	if (value && path) {
		status = settings_file_both_ways(str_from(entry->name), why);
		goto out;
	}
	if (!value && !path && entry->also)
		value = settings_pairs_get(pairs, str_from(entry->also));
	status = STATUS_OK;
	if (path)
		status = settings_file_secret(path, str_from(entry->name), config, why);
	else if (value)
		status = config_set(config, str_from(entry->name), str_from(value), why);
out:
	buf_clear(&name);
	return status;
}

static enum status load_environment(const struct settings *settings, struct config *config,
				    struct buf *why)
{
	enum status status = STATUS_OK;
	struct config_entry entry;
	size_t i;

	for (i = 0; status == STATUS_OK && config_entry_at(i, &entry); i++)
		status = load_one(&settings->environment, &entry, config, why);
	return status;
}

static enum status load_file(const struct settings *settings, struct config *config,
			     struct buf *why)
{
	return settings->file ? settings_file_load(settings->file, config, why) : STATUS_OK;
}

static enum status load_overrides(const struct settings *settings, struct config *config,
				  struct buf *why)
{
	const struct settings_pairs *pairs = &settings->overrides;
	enum status status = STATUS_OK;
	size_t i;

	for (i = 0; status == STATUS_OK && i < pairs->n; i++)
		status = config_set(config, str_from(pairs->all[i].name),
				    str_from(pairs->all[i].value), why);
	return status;
}

/* The file that what was loaded before names. */
static enum status load_servers(const struct settings *settings, struct config *config,
				struct buf *why)
{
	enum status status = STATUS_OK;
	struct buf what;

	(void)settings;
	buf_init(&what, WHY_CAP);
	if (*config->model_servers_file)
		status = settings_file_load_servers(config->model_servers_file, config, &what);
	status = explain(status, config->model_servers_file, &what, why);
	buf_clear(&what);
	return status;
}

enum status settings_load(const struct settings *settings, struct config *out, struct buf *why)
{
	const struct {
		enum status (*load)(const struct settings *, struct config *, struct buf *);
		const char *where;
	} steps[] = {
		{ load_environment, "the environment" },
		{ load_file, settings->file },
		{ load_overrides, "the command line" },
		{ load_servers, "BANTER_MODEL_SERVERS" },
	};
	struct config config;
	enum status status;
	struct buf what;
	size_t i;

	status = config_init(&config);
	if (status != STATUS_OK)
		return status;
	buf_init(&what, WHY_CAP);
	for (i = 0; status == STATUS_OK && i < COUNT(steps); i++)
		status = explain(steps[i].load(settings, &config, &what), steps[i].where, &what,
				 why);
	if (status == STATUS_OK)
		*out = config;
	else
		config_clear(&config);
	buf_clear(&what);
	return status;
}
