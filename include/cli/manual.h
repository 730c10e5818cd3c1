/* What the tables of commands and settings become besides help. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

/*
 * The source of a page: "banterctl" or "banter.conf" (mdoc), "settings" (Markdown, deploy/settings);
 * false: no such page.
 */
bool manual_put(const char *page, FILE *out);
/* The completion for "bash" or "zsh"; false: no such shell. */
bool completion_put(const char *shell, FILE *out);

#endif
