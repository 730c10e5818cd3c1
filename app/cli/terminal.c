/* The terminal: how wide it is and what it can show, and words in its lines. */
#include "cli/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SOME_WIDTH 80 /* of a terminal that does not say */

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
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		terminal.width = size.ws_col;
		terminal.height = size.ws_row;
	}
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
