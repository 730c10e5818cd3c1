/*
 * Keys. A key is made here and can be had this once: the database only ever gets its hash. One is named
 * by its id, or by its last four characters where no other ends in the same.
 */
#ifndef OPS_KEY_H
#define OPS_KEY_H

#include "base/secret.h"
#include "chat/key.h"
#include "ops/ops.h"

/* SHA-256's block, in bytes. */
#define OPS_KEY_PAD 64

/* What a new key is for: a chatbot (a widget key, or a site key), or else a workspace. */
struct ops_key_request {
	const char *chatbot, *workspace; /* one of them */
	const char *label;		 /* what it is for, in somebody's words */
	const char *origins;		 /* a site key's, commas between; NULL: it is none */
};

struct ops_key {
	char id[SECRET_ID_SIZE];
	char text[KEY_TEXT_SIZE]; /* the secret itself */
	struct key key;
	const char *label; /* as it was asked for, both; borrowed */
	const char *origins;
	struct db_rows *place; /* what it is of */
};

/* STATUS_INVALID: its label or its origins are none. */
enum status ops_key_judge(struct ops *ops, const struct ops_key_request *request) MUST_CHECK;
/*
 * Makes a key that does not count yet, so that its text can be brought to safety first. What came
 * out is to be cleared with ops_key_clear(), whatever this returns.
 */
enum status ops_key_prepare(struct ops *ops, const struct ops_key_request *request,
			    struct ops_key *out) MUST_CHECK;
/* From here on it counts. */
enum status ops_key_store(struct ops *ops, const struct ops_key *key) MUST_CHECK;
/*
 * The same for a key that was made elsewhere. `chatbot`: absent for a workspace key; `hint`: what it
 * is known again by; `origins`: a site key's, else NULL; `name`: for logs.
 */
enum status ops_key_add(struct ops *ops, const char *name, const struct key *key, const char *id,
			struct str chatbot, const char *hint, const char *label,
			const char *origins) MUST_CHECK;
/* Wipes its text. */
void ops_key_clear(struct ops_key *key);

/* A site key's identity secret, and the pads by which HMAC-SHA-256 uses it (RFC 2104). */
struct ops_key_secret {
	char text[KEY_TEXT_SIZE];
	unsigned char inner[OPS_KEY_PAD], outer[OPS_KEY_PAD];
};
void ops_key_secret_new(struct ops_key_secret *out);
void ops_key_secret_clear(struct ops_key_secret *secret);
/* From here on it is the key's; the database gets its pads. */
enum status ops_key_identity(struct ops *ops, const char *key,
			     const struct ops_key_secret *secret) MUST_CHECK;

/* All of them, or those of a workspace; revoked ones too. */
enum status ops_key_list(struct ops *ops, const char *workspace, struct db_rows **out) MUST_CHECK;
/* One row: what is known of it; not the key. */
enum status ops_key_show(struct ops *ops, const char *key, struct db_rows **out) MUST_CHECK;
/* All of the settings, or none; and shows it. */
enum status ops_key_set(struct ops *ops, const char *key, const char *settings,
			struct db_rows **out) MUST_CHECK;
/* Before it is revoked: one row, its id and a question in words. */
enum status ops_key_question(struct ops *ops, const char *key, struct db_rows **out) MUST_CHECK;
/* Ends it for good, and shows it. */
enum status ops_key_revoke(struct ops *ops, const char *key, struct db_rows **out) MUST_CHECK;

#endif
