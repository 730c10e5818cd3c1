/*
 * Somebody to try things as: a workspace with a chatbot and keys, under numbers and ids the caller
 * chooses, so that made again it is the same.
 */
#ifndef OPS_TENANT_H
#define OPS_TENANT_H

#include "chat/key.h"
#include "ops/ops.h"

struct ops_tenant {
	const char *purpose; /* for logs, and the label of its keys */
	int64_t workspace;
	const char *workspace_name;
	const char *chatbot, *chatbot_name;
	const char *system_prompt;
};

/* Its workspace and its chatbot. What is there already stays as it is. */
enum status ops_tenant_create(struct ops *ops, const struct ops_tenant *tenant) MUST_CHECK;
/*
 * A key of it, under that id; a widget or site key is its chatbot's. `hint`: what it is known again by;
 * `origins`: a site key's, else NULL.
 */
enum status ops_tenant_add_key(struct ops *ops, const struct ops_tenant *tenant,
			       const struct key *key, const char *id, const char *hint,
			       const char *origins) MUST_CHECK;

/*
 * Removes it with all that was said to it; and others of the same names that are over an hour old, which
 * somebody who was killed has left behind.
 */
enum status ops_tenant_remove(struct ops *ops, const struct ops_tenant *tenant) MUST_CHECK;
/*
 * Erases what was said in sessions that begin so, in a workspace that stays. What still runs gives back
 * the credits it holds.
 */
enum status ops_tenant_erase(struct ops *ops, const char *purpose, int64_t workspace,
			     const char *session) MUST_CHECK;

#endif
