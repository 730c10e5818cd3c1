/*
 * banterctl demo: a workspace, a chatbot and a key of each kind. With a file to keep them in, a
 * second run makes nothing new, and a new database gets the same keys as the old one.
 */
#include "ctl/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/count.h"
#include "base/secret.h"
#include "base/str.h"
#include "chat/key.h"
#include "cli/call.h"
#include "cli/query.h"
#include "ops/key.h"
#include "ops/tenant.h"
#include "ops/workspace.h"
#include "wire/config.h"
#include "wire/config_text.h"
#include "wire/frame.h"

#define FILE_CAP 65536
#define CALL_MS 10000

/* As they stand in the file. */
struct demo {
	char widget[KEY_TEXT_SIZE];
	char workspace[KEY_TEXT_SIZE];
	char site[KEY_TEXT_SIZE]; /* "": none */
	char chatbot[SECRET_ID_SIZE];
};

struct demo_keys {
	struct key widget, workspace, site;
};

static enum status take_line(void *context, struct str name, struct str value, struct buf *why)
{
	struct demo *demo = context;
	struct {
		struct str name;
		char *out;
		size_t size;
	} places[] = {
		{ STR("BANTER_WIDGET_KEY"), demo->widget, sizeof(demo->widget) },
		{ STR("BANTER_WORKSPACE_KEY"), demo->workspace, sizeof(demo->workspace) },
		{ STR("BANTER_SITE_KEY"), demo->site, sizeof(demo->site) },
		{ STR("BANTER_CHATBOT_ID"), demo->chatbot, sizeof(demo->chatbot) },
	};
	size_t i;

	(void)why;
	for (i = 0; i < COUNT(places); i++)
		if (str_equal(name, places[i].name) && value.n < places[i].size)
			memcpy(places[i].out, value.p, value.n);
	return STATUS_OK;
}

/* Nothing there, or nothing whole: the demo stays empty. */
static void read_file(const char *path, struct demo *demo)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf text, why;
	char chunk[4096];
	ssize_t n;

	if (fd < 0)
		return;
	buf_init(&text, FILE_CAP);
	buf_init(&why, 256);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_append(&text, chunk, (size_t)n);
	close(fd);
	if (buf_check(&text) || config_lines(buf_view(&text), take_line, demo, &why))
		memset(demo, 0, sizeof(*demo));
	buf_wipe(&text);
	buf_clear(&why);
}

/* What the file has not is made; a site key where there are to be pages for it. */
static enum status complete(struct demo *demo, bool site, struct demo_keys *keys)
{
	int64_t number;

	if (!*demo->chatbot ||
	    key_read(KEY_WIDGET, str_from(demo->widget), &keys->widget) != STATUS_OK ||
	    key_read(KEY_WORKSPACE, str_from(demo->workspace), &keys->workspace) != STATUS_OK) {
		number = ops_workspace_number();
		secret_new_id(demo->chatbot);
		demo->site[0] = '\0';
		if (key_new(KEY_WIDGET, number, demo->widget, &keys->widget) ||
		    key_new(KEY_WORKSPACE, number, demo->workspace, &keys->workspace))
			return STATUS_FAILED;
	}
	if (!site || key_read(KEY_SITE, str_from(demo->site), &keys->site) == STATUS_OK)
		return STATUS_OK;
	return key_new(KEY_SITE, keys->widget.workspace, demo->site, &keys->site);
}

/* The id is made of the hash, so that the same key is the same row. */
static void put_id(struct buf *out, const struct key *key)
{
	int i;

	for (i = 0; i < 16; i++)
		buf_printf(out, "%02x", key->hash[i]);
}

static enum status add_key(struct ops *ops, const struct ops_tenant *tenant, const struct key *key,
			   const char *text, const char *origins)
{
	enum status status;
	struct buf id;

	buf_init(&id, 64);
	put_id(&id, key);
	status = ops_tenant_add_key(ops, tenant, key, buf_text(&id), text + strlen(text) - 4,
				    origins);
	buf_clear(&id);
	return status;
}

/* Of a key that was there before, which had others. */
static enum status set_origins(struct ops *ops, const struct key *key, const char *origins)
{
	struct db_rows *rows = NULL;
	struct buf id, settings;
	enum status status;

	buf_init(&id, 64);
	buf_init(&settings, FILE_CAP);
	put_id(&id, key);
	buf_puts(&settings, "{\"origins\":");
	frame_quote(&settings, str_from(origins));
	buf_putc(&settings, '}');
	status = buf_check(&settings);
	if (status == STATUS_OK)
		status = ops_key_set(ops, buf_text(&id), buf_text(&settings), &rows);
	db_rows_free(rows);
	buf_clear(&settings);
	buf_clear(&id);
	return status;
}

static enum status make(struct ops *ops, const struct demo *demo, const struct demo_keys *keys,
			const char *origins)
{
	const struct ops_tenant tenant = {
		.purpose = "demo",
		.workspace = keys->widget.workspace,
		.workspace_name = "Demo",
		.chatbot = demo->chatbot,
		.chatbot_name = "Demo",
		.system_prompt = "You are the friendly assistant of a small company.",
	};
	enum status status = STATUS_OK;

	if (origins)
		status = ops_key_judge(ops, &(struct ops_key_request){ .origins = origins });
	if (status == STATUS_OK)
		status = ops_tenant_create(ops, &tenant);
	if (status == STATUS_OK)
		status = add_key(ops, &tenant, &keys->widget, demo->widget, NULL);
	if (status == STATUS_OK)
		status = add_key(ops, &tenant, &keys->workspace, demo->workspace, NULL);
	if (status == STATUS_OK && origins)
		status = add_key(ops, &tenant, &keys->site, demo->site, origins);
	if (status == STATUS_OK && origins)
		status = set_origins(ops, &keys->site, origins);
	return status;
}

static int write_out(const char *path, const struct demo *demo)
{
	FILE *out = stdout;
	int fd;

	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		out = fd < 0 ? NULL : fdopen(fd, "w");
		if (!out)
			return cli_say(CLI_FAILED, "cannot write %s: %s", path, strerror(errno));
		fchmod(fd, 0600);
	}
	fprintf(out, "BANTER_WIDGET_KEY=%s\nBANTER_WORKSPACE_KEY=%s\nBANTER_CHATBOT_ID=%s\n",
		demo->widget, demo->workspace, demo->chatbot);
	if (*demo->site)
		fprintf(out, "BANTER_SITE_KEY=%s\n", demo->site);
	if (path && fclose(out))
		return cli_say(CLI_FAILED, "cannot write %s: %s", path, strerror(errno));
	return CLI_DONE;
}

int demo_run(const struct cli_call *call)
{
	const char *path = cli_value(call, "--env-file"), *origins = cli_value(call, "--origins");
	struct demo demo = { 0 };
	struct demo_keys keys;
	enum status status;
	struct ops ops;
	int code;

	code = cli_open(call, &ops);
	if (code != CLI_DONE)
		return code;
	ops.patience_ms = CALL_MS;
	if (path)
		read_file(path, &demo);
	status = complete(&demo, origins, &keys);
	if (status == STATUS_OK)
		status = make(&ops, &demo, &keys, origins);
	cli_close(&ops);
	if (status == STATUS_REFUSED || status == STATUS_INVALID)
		cli_say(CLI_FAILED, "%s", ops.refusal);
	code = status == STATUS_OK ? write_out(path, &demo) : CLI_FAILED;
	explicit_bzero(&demo, sizeof(demo));
	return code;
}
