/* Keys: their making, and what is told of them. */
#include "ops/key.h"

#include <string.h>

#include "ops/call.h"

#define SHOW "select * from banter.key_show(p_key => $1)"
#define HINT 4 /* the last characters, by which a person knows it again */

enum status ops_key_judge(struct ops *ops, const struct ops_key_request *request)
{
	struct db_query query;

	db_query_init(&query, "key create",
		      "select banter.settings_refusal(p_what => 'key', p_changes =>"
		      " json_strip_nulls(json_build_object('label', coalesce($1::text, ''),"
		      " 'origins', $2::text)), p_name => null)");
	db_add_input(&query, request->label);
	db_add_input(&query, request->origins);
	return ops_call_words(ops, &query);
}

static enum key_kind kind_of(const struct ops_key_request *request)
{
	if (!request->chatbot)
		return KEY_WORKSPACE;
	return request->origins ? KEY_SITE : KEY_WIDGET;
}

enum status ops_key_prepare(struct ops *ops, const struct ops_key_request *request,
			    struct ops_key *out)
{
	struct db_query query;
	enum status status;

	*out = (struct ops_key){ .label = request->label, .origins = request->origins };
	status = ops_key_judge(ops, request);
	if (status)
		return status;
	db_query_init(&query, "key create",
		      "select * from banter.key_place(p_chatbot => $1, p_workspace => $2)");
	db_add_input(&query, request->chatbot);
	db_add_input(&query, request->workspace);
	status = ops_call(ops, &query, &out->place);
	if (status)
		return status;
	secret_new_id(out->id);
	if (key_new(kind_of(request), db_rows_integer(out->place, 0, 0, 0), out->text, &out->key))
		return ops_refuse(ops, STATUS_REFUSED, STR("no key could be made"));
	return STATUS_OK;
}

enum status ops_key_add(struct ops *ops, const char *name, const struct key *key, const char *id,
			struct str chatbot, const char *hint, const char *label,
			const char *origins)
{
	struct db_query query;

	db_query_init(&query, name,
		      "select banter.key_create(p_workspace => $1, p_api_key => $2, p_kind => $3,"
		      " p_chatbot => $4, p_hash => $5, p_hint => $6, p_label => $7,"
		      " p_origins => string_to_array($8, ','))");
	db_add_integer(&query, key->workspace);
	db_add_input(&query, id);
	db_add_text(&query, key_kind_name(key->kind));
	db_add_text(&query, chatbot);
	db_add_text(&query, (struct str){ (const char *)key->hash, KEY_HASH_SIZE });
	db_add_input(&query, hint);
	db_add_input(&query, label);
	db_add_input(&query, origins);
	return ops_call(ops, &query, NULL);
}

enum status ops_key_store(struct ops *ops, const struct ops_key *key)
{
	return ops_key_add(ops, "key create", &key->key, key->id, db_rows_text(key->place, 0, 1),
			   key->text + strlen(key->text) - HINT, key->label, key->origins);
}

void ops_key_clear(struct ops_key *key)
{
	db_rows_free(key->place);
	explicit_bzero(key, sizeof(*key));
}

void ops_key_secret_new(struct ops_key_secret *out)
{
	size_t i, n;

	key_new_secret(out->text);
	n = strlen(out->text);
	/* RFC 2104: the key, filled up with zeros, or-ed exclusively with each constant. */
	for (i = 0; i < OPS_KEY_PAD; i++) {
		unsigned char byte = i < n ? (unsigned char)out->text[i] : 0;

		out->inner[i] = byte ^ 0x36;
		out->outer[i] = byte ^ 0x5c;
	}
}

void ops_key_secret_clear(struct ops_key_secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}

enum status ops_key_identity(struct ops *ops, const char *key, const struct ops_key_secret *secret)
{
	struct db_query query;

	db_query_init(&query, "key identity",
		      "select banter.key_identity(p_key => $1, p_inner => $2, p_outer => $3)");
	db_add_input(&query, key);
	db_add_text(&query, (struct str){ (const char *)secret->inner, OPS_KEY_PAD });
	db_add_text(&query, (struct str){ (const char *)secret->outer, OPS_KEY_PAD });
	return ops_call(ops, &query, NULL);
}

enum status ops_key_list(struct ops *ops, const char *workspace, struct db_rows **out)
{
	return ops_call_rows(ops, "key list", "select * from banter.key_list(p_workspace => $1)",
			     workspace, out);
}

enum status ops_key_show(struct ops *ops, const char *key, struct db_rows **out)
{
	return ops_call_rows(ops, "key show", SHOW, key, out);
}

enum status ops_key_set(struct ops *ops, const char *key, const char *settings,
			struct db_rows **out)
{
	struct db_query query;
	enum status status = ops_call_judge(ops, "key set", "key", settings, NULL);

	if (status)
		return status;
	db_query_init(&query, "key set", "select banter.key_set(p_key => $1, p_changes => $2)");
	db_add_input(&query, key);
	db_add_input(&query, settings);
	return ops_call_change(ops, &query, SHOW, out);
}

enum status ops_key_question(struct ops *ops, const char *key, struct db_rows **out)
{
	return ops_call_rows(ops, "key revoke", "select * from banter.key_question(p_key => $1)",
			     key, out);
}

enum status ops_key_revoke(struct ops *ops, const char *key, struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "key revoke", "select banter.key_revoke(p_key => $1)");
	db_add_input(&query, key);
	return ops_call_change(ops, &query, SHOW, out);
}
