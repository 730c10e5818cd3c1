/*
 * Where the settings come from: the environment and a --config file of the same names; the file
 * wins over the environment, secrets also come from the file that NAME_FILE names; and the file of
 * further model servers that one of the settings names. All reading is done here; meaning is
 * wire/config.
 */
#ifndef EDGE_SETTINGS_H
#define EDGE_SETTINGS_H

#include "base/buf.h"
#include "base/status.h"
#include "wire/config.h"

struct settings; /* the environment's values as they were at the start, and the file's path */

/*
 * Remembers the environment's settings and scrubs the secrets among them from it
 * (also those under their other name, such as OPENAI_API_KEY).
 * `file` NULL: no file. STATUS_NOMEM.
 */
enum status settings_new(const char *file, struct settings **out) MUST_CHECK;
void settings_free(struct settings *settings); /* NULL is fine; wipes */
/*
 * Puts the environment's settings back where they were, secrets too: for a program that is started in
 * this one's place, in a process that does nothing else. STATUS_NOMEM.
 */
enum status settings_export(const struct settings *settings) MUST_CHECK;
/* One value from the command line, above all others. `name`, `value` are copied. STATUS_NOMEM. */
enum status settings_override(struct settings *settings, const char *name,
			      const char *value) MUST_CHECK;
/*
 * Fills `out` (config_init()ed inside; untouched on failure): defaults, environment, file,
 * overrides, in that order, then the model servers. STATUS_INVALID: `why` names the setting, where
 * it stands, and what is allowed. STATUS_NOMEM.
 */
enum status settings_load(const struct settings *settings, struct config *out,
			  struct buf *why) MUST_CHECK;

#endif
