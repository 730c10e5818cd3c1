/* The manual pages that are made from the tables of commands and settings. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"

/*
 * The source of a page: "banterctl" or "banter.conf" (mdoc), "settings" (Markdown, deploy/settings);
 * false: no such page.
 */
bool manual_put(const struct cli_program *program, const char *page, FILE *out);

#endif
