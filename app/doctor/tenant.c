/*
 * Who the self-test asks as: a workspace with a chatbot and a widget key, made by the operator's
 * connection and erased with all that was said, or the widget key the operator gave.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "doctor/doctor.h"

#define CALL_MS 10000
#define KEY_CAP 4096

/* What a doctor that was killed left behind goes with the next one. */
#define FORGET                                                                                     \
	"delete from banter_data.workspace w where w.workspace = $1"                               \
	" or (w.name = 'banterctl doctor' and w.created_at < now() - interval '1 hour'"            \
	" and not exists (select from banter_data.chatbot c"                                       \
	" where c.workspace = w.workspace and c.name <> 'doctor'))"

/* What still runs in it, after a test that took too long, gives back the credits it holds. */
#define FORGET_SAID                                                                                \
	"select banter.conversation_erase(coalesce(string_agg(c.conversation, E'\\n'), ''), null," \
	" null, null, null, false, null, null, 1000) from banter_data.conversation c"              \
	" where c.workspace = $1 and starts_with(c.session, $2)"

static enum status call(struct doctor *doctor, const struct db_query *query)
{
	doctor_listen(doctor);
	return db_call(doctor->owner, NULL, query, clock_ms() + CALL_MS, NULL);
}

static enum status create(struct doctor *doctor, const struct key *key, const char *chatbot,
			  const char *id)
{
	struct db_query query;
	enum status status;

	db_query_init(&query, "doctor",
		      "select banter.workspace_create($1, 'banterctl doctor', null)");
	db_add_integer(&query, key->workspace);
	status = call(doctor, &query);
	if (status)
		return status;
	db_query_init(&query, "doctor", "select banter.chatbot_create($1, $2, 'doctor', '')");
	db_add_integer(&query, key->workspace);
	db_add_text(&query, str_from(chatbot));
	status = call(doctor, &query);
	if (status)
		return status;
	db_query_init(&query, "doctor",
		      "select banter.key_create($1, $2, 'widget', $3, $4, '', 'doctor')");
	db_add_integer(&query, key->workspace);
	db_add_text(&query, str_from(id));
	db_add_text(&query, str_from(chatbot));
	db_add_text(&query, (struct str){ (const char *)key->hash, KEY_HASH_SIZE });
	return call(doctor, &query);
}

static bool make(struct doctor *doctor)
{
	struct doctor_tenant *tenant = &doctor->tenant;
	char chatbot[SECRET_ID_SIZE], id[SECRET_ID_SIZE];
	struct key key;

	if (!doctor->owner || !doctor->schema) {
		doctor_find(doctor, DOCTOR_UNTRIED, "exchange",
			    "nobody to ask as: the operator's database is not reached");
		doctor_step(doctor, "BANTER_ADMIN_DATABASE_URL, or --url with --key-file");
		return false;
	}
	secret_random(&tenant->workspace, sizeof(tenant->workspace));
	secret_new_id(chatbot);
	secret_new_id(id);
	tenant->made = true;
	if (key_new(KEY_WIDGET, tenant->workspace, tenant->key, &key) == STATUS_OK &&
	    create(doctor, &key, chatbot, id) == STATUS_OK)
		return true;
	doctor_find(doctor, DOCTOR_WRONG, "exchange", "nobody to ask as could be made: %.*s",
		    STR_ARGS(doctor_heard(doctor)));
	doctor_step(doctor, "banterctl migrate, as the schema's owner");
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
		doctor_find(doctor, DOCTOR_WRONG, "exchange", "%s holds no widget key", path);
		doctor_step(doctor, "a file with the widget key alone, as banterctl key create "
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

void doctor_tenant_leave(struct doctor *doctor)
{
	struct doctor_tenant *tenant = &doctor->tenant;
	struct db_query query;

	explicit_bzero(tenant->key, sizeof(tenant->key));
	if (!tenant->made && !tenant->there)
		return;
	db_query_init(&query, "doctor", tenant->made ? FORGET : FORGET_SAID);
	db_add_integer(&query, tenant->workspace);
	if (!tenant->made)
		db_add_text(&query, str_from(tenant->session));
	if (doctor->owner && call(doctor, &query) == STATUS_OK)
		return;
	doctor_find(doctor, DOCTOR_WARNING, "exchange",
		    "what was asked to test with could not be removed (session %s)",
		    tenant->session);
	doctor_step(doctor, "the same with BANTER_ADMIN_DATABASE_URL set removes its own");
}
