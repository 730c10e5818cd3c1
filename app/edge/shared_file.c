/* The name. A folder in memory, where the system has one. */
#include "edge/shared_file.h"

#include <unistd.h>

void shared_file_name(const struct config *config, struct buf *path)
{
	const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	if (*config->shared_file)
		buf_puts(path, config->shared_file);
	else
		buf_printf(path, "%s/banter-%u", folder, (unsigned)geteuid());
}
