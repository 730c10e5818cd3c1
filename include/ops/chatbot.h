/* Chatbots. One is named by its id, by its name where no other has it, or as WORKSPACE/NAME. */
#ifndef OPS_CHATBOT_H
#define OPS_CHATBOT_H

#include "ops/ops.h"

/* Makes one in that workspace, and shows it. */
enum status ops_chatbot_create(struct ops *ops, const char *workspace, const char *name,
			       const char *settings, struct db_rows **out) MUST_CHECK;
/* All of them, or those of a workspace. */
enum status ops_chatbot_list(struct ops *ops, const char *workspace,
			     struct db_rows **out) MUST_CHECK;
/* One row: its settings and what it has. */
enum status ops_chatbot_show(struct ops *ops, const char *chatbot, struct db_rows **out) MUST_CHECK;
/* All of the settings, or none; and shows it. */
enum status ops_chatbot_set(struct ops *ops, const char *chatbot, const char *settings,
			    struct db_rows **out) MUST_CHECK;
/* Before it is shut: one row, its id and a question in words. */
enum status ops_chatbot_question(struct ops *ops, const char *chatbot,
				 struct db_rows **out) MUST_CHECK;
/* Shuts it, and shows it. Nothing is deleted. */
enum status ops_chatbot_revoke(struct ops *ops, const char *chatbot,
			       struct db_rows **out) MUST_CHECK;

#endif
