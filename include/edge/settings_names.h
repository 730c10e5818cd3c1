/*
 * What edge/settings keeps its values in: names with values, what a name means, and taking the
 * environment apart. For edge/settings; what a name means, for doctor too.
 */
#ifndef EDGE_SETTINGS_NAMES_H
#define EDGE_SETTINGS_NAMES_H

#include <stddef.h>

#include "base/status.h"
#include "base/str.h"

#define SETTINGS_FILE_SUFFIX "_FILE"

/* {0} is empty. Owns copies of all its strings. */
struct settings_pairs {
	struct settings_pair {
		char *name, *value;
	} * all;
	size_t n;
};

void settings_pairs_clear(struct settings_pairs *pairs); /* wipes the values */
/* STATUS_NOMEM */
enum status settings_pairs_add(struct settings_pairs *pairs, struct str name,
			       struct str value) MUST_CHECK;
/* The first value of that name, borrowed; NULL if there is none. */
const char *settings_pairs_get(const struct settings_pairs *pairs, struct str name);

enum settings_naming {
	SETTINGS_NONE,	 /* no setting's name */
	SETTINGS_CLIENT, /* for a client, not for us: `make run` and `banterctl demo` write it */
	SETTINGS_VALUE,	 /* a setting, or its other name */
	SETTINGS_SECRET, /* the same, and secret */
	SETTINGS_FILE,	 /* a secret's name with _FILE: its value names a file */
};
enum settings_naming settings_naming_of(struct str name);
/* The same of a name within a section of the file of model servers, such as KEY_FILE. */
enum settings_naming settings_naming_of_server(struct str name);
/* `name` without _FILE at its end; absent if it has none. */
struct str settings_without_suffix(struct str name);

/*
 * Copies what is ours from the environment; wipes the secrets among it in place, every copy, and
 * removes them. Warns of BANTER_ names that are none of ours. STATUS_NOMEM.
 */
enum status settings_take_environment(struct settings_pairs *pairs) MUST_CHECK;

#endif
