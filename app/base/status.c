/* Names of the results, for logs. */
#include "base/status.h"

const char *status_name(enum status status)
{
	static const char *const names[] = {
		[STATUS_OK] = "ok",	      [STATUS_NOMEM] = "no memory",
		[STATUS_INVALID] = "invalid", [STATUS_TIMEOUT] = "timeout",
		[STATUS_CLOSED] = "closed",   [STATUS_UNAVAILABLE] = "unavailable",
		[STATUS_REFUSED] = "refused", [STATUS_STOPPED] = "stopped",
		[STATUS_FAILED] = "failed",
	};

	if ((unsigned)status >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[status];
}
