/* Tables of ends. */
#include "chat/model_failure.h"

#include <stdio.h>
#include <string.h>

#include "wire/config.h"

enum model_failure_kind model_failure_kind_of(enum http_end end)
{
	static const enum model_failure_kind kinds[HTTP_ENDS] = {
		[HTTP_END_NONE] = MODEL_RESET,
		[HTTP_END_WHOLE] = MODEL_RESET,
		[HTTP_END_NO_HOST] = MODEL_UNREACHED,
		[HTTP_END_REFUSED] = MODEL_DECLINED,
		[HTTP_END_LATE] = MODEL_UNREACHED,
		[HTTP_END_LATE_FIRST] = MODEL_LATE,
		[HTTP_END_LATE_NEXT] = MODEL_LATE,
		[HTTP_END_LATE_DEADLINE] = MODEL_LATE,
		[HTTP_END_CUT] = MODEL_RESET,
		[HTTP_END_NOT_TLS] = MODEL_UNREACHED,
		[HTTP_END_EXPIRED] = MODEL_UNREACHED,
		[HTTP_END_NOT_YET] = MODEL_UNREACHED,
		[HTTP_END_UNKNOWN_CA] = MODEL_UNREACHED,
		[HTTP_END_WRONG_NAME] = MODEL_UNREACHED,
		[HTTP_END_BAD_CA] = MODEL_UNREACHED,
		[HTTP_END_OTHER] = MODEL_RESET,
	};

	return kinds[end];
}

bool model_failure_late(enum http_end end, const struct model_server *server, char *cause,
			size_t size)
{
	static const struct {
		const char *words, *setting;
		bool of_server;
	} late[HTTP_ENDS] = {
		[HTTP_END_LATE_FIRST] = { "the model did not begin to answer in time", "FIRST_TIME",
					  true },
		[HTTP_END_LATE_NEXT] = { "the model fell silent", "IDLE_TIME", true },
		[HTTP_END_LATE_DEADLINE] = { "the exchange took too long",
					     "BANTER_EXCHANGE_TIME, in one piece BANTER_JSON_TIME",
					     false },
	};

	if (!late[end].words)
		return false;
	if (!late[end].of_server || strcmp(server->name, MODEL_SERVER_DEFAULT) == 0)
		snprintf(cause, size, "%s (%s%s)", late[end].words,
			 late[end].of_server ? CONFIG_SERVER_PREFIX : "", late[end].setting);
	else
		snprintf(cause, size, "%s ([%s] %s)", late[end].words, server->name,
			 late[end].setting);
	return true;
}
