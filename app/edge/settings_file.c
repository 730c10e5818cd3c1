/*
 * Reads files of settings and of model servers, and those of secrets that they name.  What a value
 * means is wire/config's.  Rests on plain files.
 */
#include "edge/settings_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/settings_names.h"
#include "wire/config_text.h"

#define FILE_CAP (1024 * 1024)
#define READ_MS 10000 /* for the next piece */

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

/* config_set(), or config_set_server(). */
typedef enum status (*set_fn)(struct config *config, struct str name, struct str value,
			      struct buf *why);

enum status settings_file_read_secret(const char *path, struct buf *out)
{
	enum status status = read_whole(path, out, NULL);
	struct str text = buf_view(out);

	if (status == STATUS_OK && text.n && text.p[text.n - 1] == '\n')
		text.n--;
	if (status == STATUS_OK && text.n && text.p[text.n - 1] == '\r')
		text.n--;
	if (status == STATUS_OK && text.n && memchr(text.p, '\0', text.n)) {
		errno = EILSEQ;
		status = STATUS_INVALID;
	}
	if (status == STATUS_OK)
		buf_truncate(out, text.n);
	return status;
}

/* A secret from the file that NAME_FILE names. */
static enum status set_from_file(struct config *config, set_fn set, struct str name,
				 const char *path, struct buf *why)
{
	enum status status;
	struct buf text;

	buf_init(&text, FILE_CAP);
	status = settings_file_read_secret(path, &text);
	if (status != STATUS_OK && errno == EILSEQ)
		buf_printf(why, "%.*s" SETTINGS_FILE_SUFFIX ": %s is not a text file",
			   STR_ARGS(name), path);
	else if (status != STATUS_OK)
		buf_printf(why, "%.*s" SETTINGS_FILE_SUFFIX ": %s cannot be read: %s",
			   STR_ARGS(name), path, strerror(errno));
	else
		status = set(config, name, buf_view(&text), why);
	if (status == STATUS_OK)
		status = config_note_file(config, name, path);
	buf_wipe(&text);
	return status;
}

enum status settings_file_secret(const char *path, struct str name, struct config *config,
				 struct buf *why)
{
	return set_from_file(config, config_set, name, path, why);
}

enum status settings_file_both_ways(struct str name, struct buf *why)
{
	buf_printf(why, "%.*s and %.*s" SETTINGS_FILE_SUFFIX " are both set: leave one",
		   STR_ARGS(name), STR_ARGS(name));
	return STATUS_INVALID;
}

/* How a file's lines are understood: those of settings, or those of a model server. */
struct file_load {
	struct config *config;
	const char *file;
	enum settings_naming (*naming_of)(struct str name);
	bool (*takes_path)(struct str name);
	set_fn set;
	config_section_fn section;     /* NULL: it has none */
	struct settings_pairs secrets; /* names of those set so far, as they were written */
	bool inline_secret;	       /* one stood in the file itself */
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
		status = settings_file_both_ways(
			naming == SETTINGS_FILE ? settings_without_suffix(name) : name, why);
	else
		status = settings_pairs_add(&load->secrets, name, STR(""));
out:
	buf_clear(&other);
	return status;
}

/*
 * A path that the file names: a relative one begins in the file's folder, which whoever wrote it had
 * before them; the folder we run in may be any.
 */
static enum status path_in_folder(const struct file_load *load, struct str path, struct buf *out)
{
	const char *slash = strrchr(load->file, '/');
	char *folder = NULL, *whole = NULL;

	buf_init(out, FILE_CAP);
	if (path.n && *path.p != '/') {
		folder =
			slash ? strndup(load->file, (size_t)(slash - load->file) + 1) : strdup(".");
		whole = folder ? realpath(folder, NULL) : NULL;
		buf_printf(out, "%s/", whole ? whole : ".");
	}
	buf_str(out, path);
	free(folder);
	free(whole);
	return buf_check(out);
}

/* A word that is no path, such as `stderr`, is taken as it stands. */
static enum status set_path(const struct file_load *load, struct str name, struct str value,
			    struct buf *why)
{
	size_t said = why->len;
	enum status status = load->set(load->config, name, value, why);
	struct buf path;

	if (status != STATUS_INVALID || !value.n || *value.p == '/')
		return status;
	buf_truncate(why, said);
	status = path_in_folder(load, value, &path);
	if (status == STATUS_OK)
		status = load->set(load->config, name, buf_view(&path), why);
	buf_clear(&path);
	return status;
}

static enum status set_line(void *context, struct str name, struct str value, struct buf *why)
{
	struct file_load *load = context;
	enum settings_naming naming = load->naming_of(name);
	enum status status = STATUS_OK;
	struct buf path;

	if (naming == SETTINGS_CLIENT)
		return STATUS_OK;
	if (naming == SETTINGS_FILE || naming == SETTINGS_SECRET)
		status = note_secret(load, name, naming, why);
	if (status != STATUS_OK)
		return status;
	load->inline_secret = load->inline_secret || naming == SETTINGS_SECRET;
	if (load->takes_path(name))
		return set_path(load, name, value, why);
	if (naming != SETTINGS_FILE)
		return load->set(load->config, name, value, why);
	status = path_in_folder(load, value, &path);
	if (status == STATUS_OK)
		status = set_from_file(load->config, load->set, settings_without_suffix(name),
				       buf_text(&path), why);
	buf_clear(&path);
	return status;
}

static enum status load_lines(struct file_load *load, const char *path, struct buf *why)
{
	enum status status;
	struct buf text;
	mode_t mode = 0;

	buf_init(&text, FILE_CAP);
	status = read_whole(path, &text, &mode);
	if (status != STATUS_OK) {
		buf_printf(why, "cannot be read: %s", strerror(errno));
		goto out;
	}
	status = load->section
			 ? config_sections(buf_view(&text), load->section, set_line, load, why)
			 : config_lines(buf_view(&text), set_line, load, why);
	if (status == STATUS_OK && (mode & S_IROTH) && load->inline_secret)
		log_warn("%s holds secrets and everybody may read it: chmod o-r", path);
out:
	settings_pairs_clear(&load->secrets);
	buf_wipe(&text);
	return status;
}

enum status settings_file_load(const char *path, struct config *config, struct buf *why)
{
	struct file_load load = {
		.config = config,
		.file = path,
		.naming_of = settings_naming_of,
		.takes_path = config_takes_path,
		.set = config_set,
	};

	return load_lines(&load, path, why);
}

static enum status begin_server(void *context, struct str name, struct buf *why)
{
	struct file_load *load = context;

	settings_pairs_clear(&load->secrets);
	return config_add_server(load->config, name, why);
}

/* A line before the first section would be the default server's, which is set elsewhere. */
static enum status set_server(struct config *config, struct str name, struct str value,
			      struct buf *why)
{
	if (config->model_server_count > 1)
		return config_set_server(config, name, value, why);
	buf_puts(why, "a line [NAME] must stand above it, the server's name");
	return STATUS_INVALID;
}

enum status settings_file_load_servers(const char *path, struct config *config, struct buf *why)
{
	struct file_load load = {
		.config = config,
		.file = path,
		.naming_of = settings_naming_of_server,
		.takes_path = config_server_takes_path,
		.set = set_server,
		.section = begin_server,
	};
	enum status status = load_lines(&load, path, why);

	return status ? status : config_check_servers(config, why);
}
