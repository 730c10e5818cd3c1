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
#include "base/secret.h"
#include "base/str.h"
#include "chat/key.h"
#include "cli/call.h"
#include "cli/query.h"
#include "ops/tenant.h"
#include "ops/workspace.h"
#include "wire/config.h"
#include "wire/config_text.h"

#define FILE_CAP 65536
#define CALL_MS 10000

struct demo {
	char widget[KEY_TEXT_SIZE];
	char workspace[KEY_TEXT_SIZE];
	char chatbot[SECRET_ID_SIZE];
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
		{ STR("BANTER_CHATBOT_ID"), demo->chatbot, sizeof(demo->chatbot) },
	};
	size_t i;

	(void)why;
	for (i = 0; i < 3; i++)
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

static enum status complete(struct demo *demo, struct key *widget, struct key *workspace)
{
	int64_t number;

	if (*demo->chatbot && key_read(KEY_WIDGET, str_from(demo->widget), widget) == STATUS_OK &&
	    key_read(KEY_WORKSPACE, str_from(demo->workspace), workspace) == STATUS_OK)
		return STATUS_OK;
	number = ops_workspace_number();
	secret_new_id(demo->chatbot);
	if (key_new(KEY_WIDGET, number, demo->widget, widget))
		return STATUS_FAILED;
	return key_new(KEY_WORKSPACE, number, demo->workspace, workspace);
}

static enum status add_key(struct ops *ops, const struct ops_tenant *tenant, const struct key *key,
			   const char *text)
{
	enum status status;
	struct buf id;
	int i;

	/* The id is made of the hash, so that the same key is the same row. */
	buf_init(&id, 64);
	for (i = 0; i < 16; i++)
		buf_printf(&id, "%02x", key->hash[i]);
	status = ops_tenant_add_key(ops, tenant, key, buf_text(&id), text + strlen(text) - 4);
	buf_clear(&id);
	return status;
}

static enum status make(struct ops *ops, const struct demo *demo, const struct key *widget,
			const struct key *workspace)
{
	const struct ops_tenant tenant = {
		.purpose = "demo",
		.workspace = widget->workspace,
		.workspace_name = "Demo",
		.chatbot = demo->chatbot,
		.chatbot_name = "Demo",
		.system_prompt = "You are the friendly assistant of a small company.",
	};
	enum status status = ops_tenant_create(ops, &tenant);

	if (status == STATUS_OK)
		status = add_key(ops, &tenant, widget, demo->widget);
	if (status == STATUS_OK)
		status = add_key(ops, &tenant, workspace, demo->workspace);
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
	if (path && fclose(out))
		return cli_say(CLI_FAILED, "cannot write %s: %s", path, strerror(errno));
	return CLI_DONE;
}

int demo_run(const struct cli_call *call)
{
	const char *path = cli_value(call, "--env-file");
	struct demo demo = { 0 };
	struct key widget, workspace;
	enum status status;
	struct ops ops;
	int code;

	code = cli_open(call, &ops);
	if (code != CLI_DONE)
		return code;
	ops.patience_ms = CALL_MS;
	if (path)
		read_file(path, &demo);
	status = complete(&demo, &widget, &workspace);
	if (status == STATUS_OK)
		status = make(&ops, &demo, &widget, &workspace);
	cli_close(&ops);
	if (status == STATUS_REFUSED)
		cli_say(CLI_FAILED, "%s", ops.refusal);
	code = status == STATUS_OK ? write_out(path, &demo) : CLI_FAILED;
	explicit_bzero(&demo, sizeof(demo));
	return code;
}
