/*
 * Who the self-test asks as: a workspace with a chatbot and a widget key, made by the operator's
 * connection and erased with all that was said, or the widget key the operator gave.
 */
#include "doctor/tenant.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "cli/call.h"
#include "ops/tenant.h"
#include "ops/workspace.h"

#define CALL_MS 10000
#define KEY_CAP 4096

static void open_ops(struct doctor *doctor, struct ops *ops)
{
	report_listen(doctor->report);
	ops_init(ops, doctor->owner, NULL, CALL_MS);
}

static struct ops_tenant tenant_of(const struct doctor_tenant *tenant, const char *chatbot)
{
	return (struct ops_tenant){
		.purpose = "doctor",
		.workspace = tenant->workspace,
		.workspace_name = "banterctl doctor",
		.chatbot = chatbot,
		.chatbot_name = "doctor",
		.system_prompt = "",
	};
}

/* STATUS_REFUSED: `ops` says why; else the log does. */
static enum status create(struct ops *ops, struct doctor_tenant *made)
{
	char chatbot[SECRET_ID_SIZE], id[SECRET_ID_SIZE];
	struct ops_tenant tenant;
	enum status status;
	struct key key;

	made->workspace = ops_workspace_number();
	secret_new_id(chatbot);
	secret_new_id(id);
	made->made = true;
	tenant = tenant_of(made, chatbot);
	status = key_new(KEY_WIDGET, made->workspace, made->key, &key);
	if (status == STATUS_OK)
		status = ops_tenant_create(ops, &tenant);
	return status ? status : ops_tenant_add_key(ops, &tenant, &key, id, "", NULL);
}

static bool make(struct doctor *doctor)
{
	enum status status;
	struct str why;
	struct ops ops;

	if (!doctor->owner || !doctor->schema) {
		report_find(doctor->report, REPORT_UNTRIED, "exchange",
			    "nobody to ask as: the operator's database is not reached");
		report_step(doctor->report, "BANTER_ADMIN_DATABASE_URL, or --url with --key-file");
		return false;
	}
	open_ops(doctor, &ops);
	status = create(&ops, &doctor->tenant);
	if (status == STATUS_OK)
		return true;
	why = status == STATUS_REFUSED ? str_from(ops.refusal) : report_heard(doctor->report);
	report_find(doctor->report, REPORT_WRONG, "exchange",
		    "nobody to ask as could be made: %.*s", STR_ARGS(why));
	report_step(doctor->report, "banterctl migrate, as the schema's owner");
	return false;
}

static bool take_file(struct doctor *doctor, const char *path)
{
	struct doctor_tenant *tenant = &doctor->tenant;
	struct key key;
	struct buf text;
	bool good;

	buf_init(&text, KEY_CAP);
	good = cli_read(path, &text) == CLI_DONE;
	while (text.len && strchr("\r\n ", text.data[text.len - 1]))
		buf_truncate(&text, text.len - 1);
	good = good && text.len < sizeof(tenant->key) &&
	       key_read(KEY_WIDGET, buf_view(&text), &key) == STATUS_OK;
	if (good) {
		memcpy(tenant->key, buf_text(&text), text.len + 1);
		tenant->workspace = key.workspace;
	} else {
		report_find(doctor->report, REPORT_WRONG, "exchange", "%s holds no widget key",
			    path);
		report_step(doctor->report,
			    "a file with the widget key alone, as banterctl key create "
			    "prints it");
	}
	buf_wipe(&text);
	return good;
}

bool doctor_tenant_take(struct doctor *doctor)
{
	const char *path = cli_value(doctor->call, "--key-file");
	struct doctor_tenant *tenant = &doctor->tenant;
	char id[SECRET_ID_SIZE];

	if (*tenant->session)
		return tenant->there;
	secret_new_id(id);
	snprintf(tenant->session, sizeof(tenant->session), "banterctl-doctor-%s", id);
	tenant->there = path ? take_file(doctor, path) : make(doctor);
	return tenant->there;
}

static enum status leave(struct doctor *doctor)
{
	const struct doctor_tenant *made = &doctor->tenant;
	struct ops_tenant tenant = tenant_of(made, NULL);
	struct ops ops;

	open_ops(doctor, &ops);
	if (made->made)
		return ops_tenant_remove(&ops, &tenant);
	return ops_tenant_erase(&ops, "doctor", made->workspace, made->session);
}

void doctor_tenant_leave(struct doctor *doctor)
{
	struct doctor_tenant *tenant = &doctor->tenant;

	explicit_bzero(tenant->key, sizeof(tenant->key));
	if (!tenant->made && !tenant->there)
		return;
	if (doctor->owner && leave(doctor) == STATUS_OK)
		return;
	report_find(doctor->report, REPORT_WARNING, "exchange",
		    "what was asked to test with could not be removed (session %s)",
		    tenant->session);
	report_step(doctor->report, "the same with BANTER_ADMIN_DATABASE_URL set removes its own");
}
