/*
 * Setting one, all, or none of the settings, and those of a further model server.  The table is
 * config_table.c's, the shapes of values are config_value.c's and config_value_model.c's; files of
 * lines and --help are config_text.c's.
 */
#include "wire/config.h"

#include <stdlib.h>

#include "base/count.h"
#include "wire/config_table.h"
#include "wire/config_value_model.h"

/* No setting, but kept like one. */
static const struct setting server_name = {
	.entry = { .of_server = true },
	.kind = KIND_TEXT,
	.offset = offsetof(struct config, model_servers[0].name),
	.shape = config_value_server,
};

/*
 * Where the words of rows are counted from. A row of the default server's is one of any server's,
 * from further on.
 */
static void *base_of(struct config *config, size_t server)
{
	return (char *)config + server * sizeof(struct model_server);
}

static char **text_of(void *base, const struct setting *setting)
{
	return (char **)(void *)((char *)base + setting->offset);
}

static int64_t *number_of(void *base, const struct setting *setting)
{
	return (int64_t *)(void *)((char *)base + setting->offset);
}

static void free_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static enum status set_text(void *base, const struct setting *setting, struct str value)
{
	struct buf normal;
	enum status status = STATUS_INVALID;
	char **text = text_of(base, setting), *copy;

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

static struct config_range *range_of(void *base, const struct setting *setting)
{
	return (struct config_range *)(void *)((char *)base + setting->offset);
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

static enum status set_number(void *base, const struct setting *setting, struct str value)
{
	int64_t number;

	if (!read_number(setting, value, &number) || number < setting->least ||
	    number > setting->most)
		return STATUS_INVALID;
	*number_of(base, setting) = number;
	return STATUS_OK;
}

static enum status set_range(void *base, const struct setting *setting, struct str value)
{
	size_t whole = value.n;
	struct str least = str_cut(&value, STR(":")), most = least.n == whole ? least : value;
	struct config_range range;

	if (!str_number(least, 10, &range.least) || !str_number(most, 10, &range.most) ||
	    range.least < setting->least || range.most < range.least || range.most > setting->most)
		return STATUS_INVALID;
	*range_of(base, setting) = range;
	return STATUS_OK;
}

static enum status set(void *base, const struct setting *setting, struct str value)
{
	if (setting->kind == KIND_TEXT)
		return set_text(base, setting, value);
	if (setting->kind == KIND_RANGE)
		return set_range(base, setting, value);
	return set_number(base, setting, value);
}

/* Where the file is noted that a setting was read from; NULL: it is not. */
static char **file_of(struct config *config, struct str name)
{
	const struct {
		const char *name;
		char **file;
	} files[] = {
		{ "BANTER_DATABASE_URL", &config->files.database_url },
		{ "BANTER_ADMIN_DATABASE_URL", &config->files.admin_database_url },
		{ "BANTER_DATABASE_PASSWORD", &config->files.database_password },
	};
	size_t i;

	for (i = 0; i < COUNT(files); i++)
		if (str_equal(name, str_from(files[i].name)))
			return files[i].file;
	return NULL;
}

enum status config_note_file(struct config *config, struct str name, const char *path)
{
	char **file = file_of(config, name), *copy;

	if (!file)
		return STATUS_OK;
	copy = strdup(path);
	if (!copy)
		return STATUS_NOMEM;
	free_text(file);
	*file = copy;
	return STATUS_OK;
}

/* NULL: there is no such setting. */
static const struct setting *find(struct str name)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; (setting = config_table(i)); i++)
		if (str_equal(name, str_from(setting->entry.name)))
			break;
	return setting;
}

enum status config_set(struct config *config, struct str name, struct str value, struct buf *why)
{
	char **file = file_of(config, name);
	const struct setting *setting = find(name);
	enum status status;

	if (setting) {
		status = set(config, setting, value);
		if (status == STATUS_OK && file)
			free_text(file);
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

/* All defaults of the rows that are counted from `base`: a server's only, or all that there are. */
static enum status fill(void *base, struct str name, bool server_only)
{
	enum status status = set(base, &server_name, name);
	const struct setting *setting;
	size_t i;

	for (i = 0; status == STATUS_OK && (setting = config_table(i)); i++)
		if (setting->entry.of_server || !server_only)
			status = set(base, setting, str_from(setting->entry.fallback));
	return status;
}

enum status config_init(struct config *config)
{
	enum status status;

	*config = (struct config){ .model_server_count = 1 };
	status = fill(config, STR(MODEL_SERVER_DEFAULT), false);
	if (status != STATUS_OK)
		config_clear(config);
	return status;
}

static void clear_server(void *base)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; (setting = config_table(i)); i++)
		if (setting->kind == KIND_TEXT && setting->entry.of_server)
			free_text(text_of(base, setting));
	free_text(text_of(base, &server_name));
}

void config_clear(struct config *config)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; i < config->model_server_count; i++)
		clear_server(base_of(config, i));
	for (i = 0; (setting = config_table(i)); i++)
		if (setting->kind == KIND_TEXT && !setting->entry.of_server)
			free_text(text_of(config, setting));
	free_text(&config->files.database_url);
	free_text(&config->files.admin_database_url);
	free_text(&config->files.database_password);
}

/* False: a server of that name is none of a file's, and `why` says it. */
static bool may_add(const struct config *config, struct str name, struct buf *why)
{
	if (str_equal(name, STR(MODEL_SERVER_DEFAULT)))
		buf_puts(why, "[" MODEL_SERVER_DEFAULT "] is the server of " CONFIG_SERVER_PREFIX
			      "URL: give it another name");
	else if (config_model_server(config, name))
		buf_printf(why, "[%.*s] stands above already", STR_ARGS(name));
	else if (config->model_server_count == CONFIG_MODEL_SERVERS)
		buf_printf(why, "one server too many: there may be %d", CONFIG_MODEL_SERVERS - 1);
	else
		return true;
	return false;
}

enum status config_add_server(struct config *config, struct str name, struct buf *why)
{
	size_t at = config->model_server_count;
	enum status status;
	char *url;

	if (!may_add(config, name, why))
		return STATUS_INVALID;
	config->model_servers[at] = (struct model_server){ .name = NULL };
	status = fill(base_of(config, at), name, true);
	if (status != STATUS_OK) {
		clear_server(base_of(config, at));
		if (status == STATUS_INVALID)
			buf_puts(why,
				 "a server's name must be 1 to 64 letters, digits, dots, _ or -");
		return status;
	}
	url = config->model_servers[at].url;
	if (url)
		*url = '\0'; /* its key is not for the default one's address */
	config->model_server_count++;
	return STATUS_OK;
}

/* The names of a server's settings, as they stand in a file of servers. */
static void list_server(struct buf *out)
{
	const struct setting *setting;
	const char *between = "", *name;
	size_t i;

	for (i = 0; (setting = config_table(i)); i++) {
		if (!setting->entry.of_server)
			continue;
		name = setting->entry.name + strlen(CONFIG_SERVER_PREFIX);
		buf_printf(out, "%s%s", between, name);
		between = ", ";
		if (setting->entry.secret)
			buf_printf(out, ", %s_FILE", name);
	}
}

/* By its name in a file of servers; NULL: a server has no such setting. */
static const struct setting *find_of_server(struct str name)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; (setting = config_table(i)); i++)
		if (setting->entry.of_server &&
		    str_equal(name, str_from(setting->entry.name + strlen(CONFIG_SERVER_PREFIX))))
			break;
	return setting;
}

enum status config_set_server(struct config *config, struct str name, struct str value,
			      struct buf *why)
{
	const struct setting *setting = find_of_server(name);
	enum status status;

	if (setting) {
		status = set(base_of(config, config->model_server_count - 1), setting, value);
		if (status == STATUS_INVALID)
			buf_printf(why, "%.*s must be %s", STR_ARGS(name), setting->entry.allowed);
		return status;
	}
	/* The name itself stays out: it may be a stray piece of a secret. */
	buf_puts(why, "unknown name: a server has ");
	list_server(why);
	return STATUS_INVALID;
}

enum status config_check_servers(const struct config *config, struct buf *why)
{
	size_t i;

	for (i = 1; i < config->model_server_count; i++)
		if (!*config->model_servers[i].url) {
			buf_printf(why, "[%s] has no URL", config->model_servers[i].name);
			return STATUS_INVALID;
		}
	return STATUS_OK;
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

static bool takes_path(const struct setting *setting)
{
	return setting->shape == config_value_path || setting->shape == config_value_log;
}

bool config_takes_path(struct str name)
{
	const struct setting *setting = find(name);

	return setting && takes_path(setting);
}

bool config_server_takes_path(struct str name)
{
	const struct setting *setting = find_of_server(name);

	return setting && takes_path(setting);
}
