/*
 * Reads the settings: the environment once, at the start (its secrets are wiped there and then);
 * the file, and the files of secrets, at every load.  What a value means is wire/config's.  Rests
 * on environ and plain files.
 */
#include "edge/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/log.h"
#include "edge/settings_names.h"
#include "wire/config_text.h"

#define FILE_CAP (1024 * 1024)
#define WHY_CAP 2048
#define READ_MS 10000 /* for the next piece */

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

enum status settings_override(struct settings *settings, const char *name, const char *value)
{
	return settings_pairs_add(&settings->overrides, str_from(name), str_from(value));
}

/*
 * Reads a whole file; STATUS_INVALID: errno says why (EFBIG: beyond the cap). `mode` may be NULL.
 */
static enum status read_whole(const char *path, struct buf *out, mode_t *mode)
{
	enum status status = STATUS_INVALID;
	struct stat st;
	ssize_t n = -1;
	char *room;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return STATUS_INVALID;
	if (fstat(fd, &st) < 0)
		goto out;
	if (mode)
		*mode = st.st_mode;
	do {
		room = buf_room(out, 4096);
		if (!room) {
			errno = EFBIG;
			goto out;
		}
		/* A pipe that nobody writes to must not stop a master that reloads. */
		if (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, READ_MS) == 0) {
			errno = ETIMEDOUT;
			goto out;
		}
		n = read(fd, room, 4096);
		if (n > 0)
			buf_grew(out, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0)
		status = STATUS_OK;
out:
	close(fd);
	return status;
}

/* `why` = where: what, once config_set() or a reader has said what is wrong. */
static enum status explain(enum status status, const char *where, const struct buf *what,
			   struct buf *why)
{
	if (status == STATUS_INVALID)
		buf_printf(why, "%s: %s", where, buf_text(what));
	return status;
}

/* A secret from the file that NAME_FILE names. */
static enum status set_from_file(struct config *config, struct str name, const char *path,
				 struct buf *why)
{
	enum status status;
	struct buf text;
	struct str value;

	buf_init(&text, FILE_CAP);
	status = read_whole(path, &text, NULL);
	if (status != STATUS_OK) {
		buf_printf(why, "%.*s" SETTINGS_FILE_SUFFIX ": %s cannot be read: %s",
			   STR_ARGS(name), path, strerror(errno));
		goto out;
	}
	value = buf_view(&text);
	if (value.n && value.p[value.n - 1] == '\n')
		value.n--;
	if (value.n && value.p[value.n - 1] == '\r')
		value.n--;
	if (value.n && memchr(value.p, '\0', value.n)) {
		buf_printf(why, "%.*s" SETTINGS_FILE_SUFFIX ": %s is not a text file",
			   STR_ARGS(name), path);
		status = STATUS_INVALID;
		goto out;
	}
	status = config_set(config, name, value, why);
out:
	buf_wipe(&text);
	return status;
}

static enum status both_ways(struct str name, struct buf *why)
{
	buf_printf(why, "%.*s and %.*s" SETTINGS_FILE_SUFFIX " are both set: leave one",
		   STR_ARGS(name), STR_ARGS(name));
	return STATUS_INVALID;
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
		status = both_ways(str_from(entry->name), why);
		goto out;
	}
	if (!value && !path && entry->also)
		value = settings_pairs_get(pairs, str_from(entry->also));
	status = STATUS_OK;
	if (path)
		status = set_from_file(config, str_from(entry->name), path, why);
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

struct file_load {
	struct config *config;
	struct settings_pairs secrets; /* names of those set so far, as they were written */
};

/* Has the file already given this secret in the other way? */
static enum status note_secret(struct file_load *load, struct str name, enum settings_naming naming,
			       struct buf *why)
{
	enum status status = STATUS_NOMEM;
	struct buf other;

	buf_init(&other, 256);
	if (naming == SETTINGS_FILE)
		buf_str(&other, settings_without_suffix(name));
	else
		buf_printf(&other, "%.*s" SETTINGS_FILE_SUFFIX, STR_ARGS(name));
	if (buf_check(&other) != STATUS_OK)
		goto out;
	if (settings_pairs_get(&load->secrets, buf_view(&other)))
		status = both_ways(naming == SETTINGS_FILE ? settings_without_suffix(name) : name,
				   why);
	else
		status = settings_pairs_add(&load->secrets, name, STR(""));
out:
	buf_clear(&other);
	return status;
}

static enum status set_line(void *context, struct str name, struct str value, struct buf *why)
{
	enum settings_naming naming = settings_naming_of(name);
	struct file_load *load = context;
	enum status status = STATUS_OK;
	char *path;

	if (naming == SETTINGS_CLIENT)
		return STATUS_OK;
	if (naming == SETTINGS_FILE || naming == SETTINGS_SECRET)
		status = note_secret(load, name, naming, why);
	if (status != STATUS_OK)
		return status;
	if (naming != SETTINGS_FILE)
		return config_set(load->config, name, value, why);
	path = strndup(value.p, value.n);
	if (!path)
		return STATUS_NOMEM;
	status = set_from_file(load->config, settings_without_suffix(name), path, why);
	free(path);
	return status;
}

static bool has_inline_secret(const struct settings_pairs *secrets)
{
	size_t i;

	for (i = 0; i < secrets->n; i++)
		if (settings_naming_of(str_from(secrets->all[i].name)) == SETTINGS_SECRET)
			return true;
	return false;
}

static enum status load_file(const struct settings *settings, struct config *config,
			     struct buf *why)
{
	struct file_load load = { .config = config };
	enum status status;
	struct buf text;
	mode_t mode = 0;

	if (!settings->file)
		return STATUS_OK;
	buf_init(&text, FILE_CAP);
	status = read_whole(settings->file, &text, &mode);
	if (status != STATUS_OK) {
		buf_printf(why, "cannot be read: %s", strerror(errno));
		goto out;
	}
	status = config_lines(buf_view(&text), set_line, &load, why);
	if (status == STATUS_OK && (mode & S_IROTH) && has_inline_secret(&load.secrets))
		log_warn("%s holds secrets and everybody may read it: chmod o-r", settings->file);
out:
	settings_pairs_clear(&load.secrets);
	buf_wipe(&text);
	return status;
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

enum status settings_load(const struct settings *settings, struct config *out, struct buf *why)
{
	const struct {
		enum status (*load)(const struct settings *, struct config *, struct buf *);
		const char *where;
	} steps[] = {
		{ load_environment, "the environment" },
		{ load_file, settings->file },
		{ load_overrides, "the command line" },
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
