/*
 * The page of settings, in Markdown.  What a setting means is its row's to say (wire/config_table);
 * here are only the sentences around the table.
 */
#include "cli/settings_page.h"

#include <string.h>

#include "wire/config.h"

/* A cell's words: `code` stays, what Markdown would take for an order does not. */
static void put_cell(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (strchr("|[]<*", *text))
			putc('\\', out);
		putc(*text, out);
	}
}

static void put_setting(const struct config_entry *entry, FILE *out)
{
	fprintf(out, "| `%s` | ", entry->name);
	if (*entry->fallback)
		fprintf(out, "`%s` ", entry->fallback);
	fputs("| ", out);
	put_cell(entry->meaning, out);
	if (entry->also)
		fprintf(out, "; else `%s`", entry->also);
	if (entry->secret)
		fprintf(out, ". A secret: also from the file that `%s_FILE` names", entry->name);
	fputs(" | ", out);
	put_cell(entry->allowed, out);
	fprintf(out, " | %s |\n", entry->restart ? "restart" : "reload");
}

void settings_page_put(FILE *out)
{
	struct config_entry entry;
	size_t i;

	fputs("# Settings\n\n"
	      "<!-- Printed by `banterctl manual settings`; the words are "
	      "app/wire/config_table.c's. "
	      "-->\n\n"
	      "They come from the environment, or from a file of `NAME=value` lines given "
	      "with `--config`, which for the package's service is\n"
	      "`/etc/banter/banter.conf`; the file wins, and is read again on SIGHUP. A "
	      "secret (the database's URLs and password, the model's\n"
	      "key and headers) can come from a file that `NAME_FILE` names; secrets are "
	      "removed from the program's own environment. A time is\n"
	      "in seconds unless it has a unit: `ms`, `s`, `m`, `h`. A wrong setting "
	      "stops the start and is named; an unknown `BANTER_…` name\n"
	      "in the environment is only logged. `banter.fcgi --check --config FILE` "
	      "tries a file. `banter.fcgi --help` (in a clone it is in\n"
	      "`build/`, of the package in `/usr/lib/banter/`) and `banter.conf(5)` say "
	      "the same as this page.\n\n"
	      "In a file, names may have `export` before them, as in one that a shell reads, and a "
	      "path "
	      "that is relative begins in the file's\n"
	      "folder.\n\n"
	      "The last column says what a change needs: on a reload (SIGHUP) a pool takes the new "
	      "value; what is part of the sockets\n"
	      "and files that are open from the start needs a restart, until which the old value "
	      "stays and the log names the setting.\n\n"
	      "| setting | default | meaning | allowed | a change needs |\n"
	      "|---|---|---|---|---|\n",
	      out);
	for (i = 0; config_entry_at(i, &entry); i++)
		put_setting(&entry, out);
	fputs("\nWhat stands in the file of `BANTER_MODEL_SERVERS`: "
	      "[several servers](../models/README.md#several-servers).\n",
	      out);
	fputs("\nIf your own back end calls the API for many visitors, they all share its address: "
	      "name it in `BANTER_TRUSTED_PROXIES` and\n"
	      "have it send `X-Forwarded-For`, or the limits count all your visitors as one.\n",
	      out);
}
