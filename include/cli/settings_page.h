/* The settings' reference, made from their table. */
#ifndef CLI_SETTINGS_PAGE_H
#define CLI_SETTINGS_PAGE_H

#include <stdio.h>

/* The page deploy/settings/README.md, in Markdown. */
void settings_page_put(FILE *out);

#endif
