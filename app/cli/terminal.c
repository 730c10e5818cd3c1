/* The terminal.  Progress is drawn on standard error, so that standard output stays a program's. */
#include "cli/terminal.h"

#include <inttypes.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define SOME_WIDTH 80 /* of a terminal that does not say */
#define DRAW_MS 100

static volatile sig_atomic_t interrupted;
static bool drawn;
static int64_t drawn_at;

static bool set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

struct terminal terminal_of(FILE *file)
{
	struct terminal terminal = { .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 };
	const char *kind = getenv("TERM");
	struct winsize size;
	int fd = fileno(file);

	if (!isatty(fd))
		return terminal;
	terminal.width = SOME_WIDTH;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		terminal.width = size.ws_col;
	terminal.colours = !set("NO_COLOR") && kind && strcmp(kind, "dumb") != 0;
	return terminal;
}

void terminal_put_words(struct str text, int used, int left, int width, FILE *out)
{
	struct str word;
	bool first = true;

	while (text.n) {
		word = str_cut(&text, STR(" "));
		if (!word.n)
			continue;
		if (width && !first && used + 1 + (int)word.n > width) {
			fprintf(out, "\n%*s", left, "");
			used = left;
			first = true;
		}
		used += fprintf(out, "%s%.*s", first ? "" : " ", STR_ARGS(word));
		first = false;
	}
	putc('\n', out);
}

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

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

void interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool interrupt_came(void)
{
	return interrupted;
}
