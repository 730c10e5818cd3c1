/* All of banterctl's commands, in the order that help shows them. */
#include "ctl/commands.h"

#include <stddef.h>

#include "cli/commands.h"
#include "ctl/chatbot.h"
#include "ctl/conversation.h"
#include "ctl/credits.h"
#include "ctl/explain.h"
#include "ctl/key.h"
#include "ctl/migrate.h"
#include "ctl/reload.h"
#include "ctl/retention.h"
#include "ctl/shards.h"
#include "ctl/watch.h"
#include "ctl/workspace.h"
#include "doctor/doctor.h"

static const struct cli_command *const groups[] = {
	ctl_schema_commands,
	ctl_shards_commands,
	ctl_workspace_commands,
	ctl_chatbot_commands,
	ctl_key_commands,
	ctl_credits_commands,
	ctl_conversation_commands,
	ctl_retention_commands,
	ctl_watch_commands,
	ctl_reload_commands,
	doctor_commands,
	cli_commands,
	NULL,
};

const struct cli_program ctl_program = {
	.name = "banterctl",
	.groups = groups,
	.explain = explain_refusal,
};
