/*
 * Setting one, all, or none of the settings.  The table is config_table.c's, the shapes of values
 * are config_value.c's; files of lines and --help are config_text.c's.
 */
#include "wire/config.h"

#include <stdlib.h>

#include "wire/config_table.h"

static char **text_of(struct config *config, const struct setting *setting)
{
	return (char **)(void *)((char *)config + setting->offset);
}

static int64_t *number_of(struct config *config, const struct setting *setting)
{
	return (int64_t *)(void *)((char *)config + setting->offset);
}

static void free_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static enum status set_text(struct config *config, const struct setting *setting, struct str value)
{
	struct buf normal;
	enum status status = STATUS_INVALID;
	char **text = text_of(config, setting), *copy;

	buf_init(&normal, CONFIG_TEXT_MOST);
	if (value.n < (size_t)setting->least || value.n > CONFIG_TEXT_MOST)
		goto out;
	if (!setting->shape(value, &normal))
		goto out;
	status = buf_check(&normal);
	if (status != STATUS_OK)
		goto out;
	copy = strdup(buf_text(&normal));
	if (!copy) {
		status = STATUS_NOMEM;
		goto out;
	}
	free_text(text);
	*text = copy;
out:
	buf_wipe(&normal);
	return status;
}

static bool read_number(const struct setting *setting, struct str value, int64_t *out)
{
	switch (setting->kind) {
	case KIND_TIME:
		return config_value_time(value, out);
	case KIND_WORD:
		return config_value_word(value, str_from(setting->entry.allowed), out);
	default:
		return str_number(value, setting->kind == KIND_OCTAL ? 8 : 10, out);
	}
}

static enum status set_number(struct config *config, const struct setting *setting,
			      struct str value)
{
	int64_t number;

	if (!read_number(setting, value, &number) || number < setting->least ||
	    number > setting->most)
		return STATUS_INVALID;
	*number_of(config, setting) = number;
	return STATUS_OK;
}

static enum status set(struct config *config, const struct setting *setting, struct str value)
{
	if (setting->kind == KIND_TEXT)
		return set_text(config, setting, value);
	return set_number(config, setting, value);
}

enum status config_set(struct config *config, struct str name, struct str value, struct buf *why)
{
	const struct setting *setting;
	enum status status;
	size_t i;

	for (i = 0; (setting = config_table(i)); i++) {
		if (!str_equal(name, str_from(setting->entry.name)))
			continue;
		status = set(config, setting, value);
		/* The value itself stays out: a key lands in the wrong line easily. */
		if (status == STATUS_INVALID)
			buf_printf(why, "%s must be %s", setting->entry.name,
				   setting->entry.allowed);
		return status;
	}
	if (str_starts(name, STR("BANTER_")) && name.n < 64)
		buf_printf(why, "%.*s is no setting: --help lists them", STR_ARGS(name));
	else
		buf_puts(why, "unknown setting: --help lists them");
	return STATUS_INVALID;
}

/* What of it no setting says. */
static enum status init_default_server(struct model_server *server)
{
	server->name = strdup(MODEL_SERVER_DEFAULT);
	server->models = strdup("");
	return server->name && server->models ? STATUS_OK : STATUS_NOMEM;
}

enum status config_init(struct config *config)
{
	const struct setting *setting;
	enum status status;
	size_t i;

	*config = (struct config){ .model_server_count = 1 };
	status = init_default_server(&config->model_servers[0]);
	for (i = 0; status == STATUS_OK && (setting = config_table(i)); i++)
		status = set(config, setting, str_from(setting->entry.fallback));
	if (status != STATUS_OK)
		config_clear(config);
	return status;
}

void config_clear(struct config *config)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; (setting = config_table(i)); i++)
		if (setting->kind == KIND_TEXT)
			free_text(text_of(config, setting));
	free_text(&config->model_servers[0].name);
	free_text(&config->model_servers[0].models);
}

const struct model_server *config_model_server(const struct config *config, struct str name)
{
	size_t i;

	for (i = 0; i < config->model_server_count; i++)
		if (str_equal(str_from(config->model_servers[i].name), name))
			return &config->model_servers[i];
	return NULL;
}

/* Text or number: exchanging both settings' words keeps each text's owner one. */
static bool keep(struct config *fresh, struct config *old, const struct setting *setting)
{
	char *text;

	if (setting->kind == KIND_TEXT) {
		text = *text_of(fresh, setting);
		*text_of(fresh, setting) = *text_of(old, setting);
		*text_of(old, setting) = text;
		return strcmp(text, *text_of(fresh, setting)) == 0;
	}
	if (*number_of(fresh, setting) == *number_of(old, setting))
		return true;
	*number_of(fresh, setting) = *number_of(old, setting);
	return false;
}

void config_keep(struct config *fresh, struct config *old, struct buf *changed)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; (setting = config_table(i)); i++)
		if (setting->entry.restart && !keep(fresh, old, setting))
			buf_printf(changed, "%s%s", changed->len ? ", " : "", setting->entry.name);
}

bool config_entry_at(size_t index, struct config_entry *out)
{
	const struct setting *setting = config_table(index);

	if (!setting)
		return false;
	*out = setting->entry;
	return true;
}
