/* The bell.  Rests on eventfd(2): no memory that a process gone wild could spoil. */
#include "base/bell.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum status bell_new(int *out)
{
	int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (bell < 0)
		return STATUS_FAILED;
	*out = bell;
	return STATUS_OK;
}

void bell_free(int bell)
{
	if (bell >= 0)
		close(bell);
}

void bell_ring(int bell, uint64_t times)
{
	ssize_t written = write(bell, &times, sizeof(times));

	(void)written; /* it overflows only where nobody has heard it for ages */
}

uint64_t bell_heard(int bell)
{
	uint64_t times = 0;

	return read(bell, &times, sizeof(times)) == (ssize_t)sizeof(times) ? times : 0;
}
