/* Names of the results, for logs. */
#include "base/status.h"

#include "base/count.h"

const char *status_name(enum status status)
{
	static const char *const names[] = {
		[STATUS_OK] = "ok",	      [STATUS_NOMEM] = "no memory",
		[STATUS_INVALID] = "invalid", [STATUS_TIMEOUT] = "timeout",
		[STATUS_CLOSED] = "closed",   [STATUS_UNAVAILABLE] = "unavailable",
		[STATUS_REFUSED] = "refused", [STATUS_STOPPED] = "stopped",
		[STATUS_FAILED] = "failed",
	};

	if ((unsigned)status >= COUNT(names))
		return "unknown";
	return names[status];
}
