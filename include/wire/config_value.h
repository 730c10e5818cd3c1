/*
 * The shapes of single settings.  For config.c: texts in, values and normal forms out, nothing
 * about names.
 */
#ifndef WIRE_CONFIG_VALUE_H
#define WIRE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * "15", "0.5", "15s", "500ms", "2m", "1h", in milliseconds. False, and *ms untouched, for anything
 * else.
 */
bool config_value_time(struct str text, int64_t *ms);
/*
 * Which of the words of `list`, which ", " separates, `text` is: 0, 1, … False, and *place untouched:
 * none of them.
 */
bool config_value_word(struct str text, struct str list, int64_t *place);

/* True if `text` has the shape; its normal form is then appended to `out`. */
typedef bool (*config_value_fn)(struct str text, struct buf *out);
bool config_value_text(struct str text, struct buf *out); /* anything without control characters */
bool config_value_listen(struct str text, struct buf *out); /* unix:/PATH, HOST:PORT, [V6]:PORT */
bool config_value_listen_or_none(struct str text, struct buf *out); /* the same, or "" */
bool config_value_url(
	struct str text,
	struct buf
		*out); /* http(s)://HOST[:PORT][/PATH][?QUERY]; the path loses a slash at its end */
bool config_value_prefix(struct str text,
			 struct buf *out); /* "" or /PATH, unreserved characters only */
bool config_value_path(struct str text, struct buf *out); /* "" or an absolute path of a file */
bool config_value_log(struct str text, struct buf *out);  /* "stderr", "syslog" or such a path */
bool config_value_origins(struct str text,
			  struct buf *out); /* SCHEME://HOST[:PORT],…; becomes lower case */
bool config_value_proxies(struct str text, struct buf *out); /* ADDRESS[/BITS],… */
/*
 * A URI or keywords, as libpq takes them. Not a URI whose password holds an unescaped / ? # or @:
 * libpq would take the password's end for a host, and say so in its errors.
 */
bool config_value_database(struct str text, struct buf *out);

#endif
