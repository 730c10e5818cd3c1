/* Progress is drawn on standard error, so that standard output stays a program's. */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define DRAW_MS 100

/* The terminal's, of which there is one. */
static bool drawn;
static int64_t drawn_at;

void progress_show(const char *what, int64_t done, int64_t total)
{
	if (!isatty(STDERR_FILENO) || (drawn && clock_ms() < drawn_at + DRAW_MS))
		return;
	if (total > 0)
		fprintf(stderr, "\r\033[K%s: %" PRId64 " of %" PRId64, what, done, total);
	else
		fprintf(stderr, "\r\033[K%s: %" PRId64, what, done);
	fflush(stderr);
	drawn = true;
	drawn_at = clock_ms();
}

void progress_end(void)
{
	if (drawn)
		fputs("\r\033[K", stderr);
	drawn = false;
}
