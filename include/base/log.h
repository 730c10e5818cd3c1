/*
 * The log: stderr, syslog or a file, one line a call, control bytes escaped, errno kept. It stops
 * nobody (base/log_sink.h). Never a key, a prompt or a message's text: callers pass names, numbers
 * and causes.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/buf.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* LOG_PERSON: to stderr, as a program speaks to the person who called it: "NAME: text". */
enum log_target { LOG_STDERR, LOG_PERSON };

/* Before this, the log goes to stderr at level info.  `name` must stay valid. */
void log_open(const char *name, enum log_level level, enum log_target target);
/* The same for "stderr", "syslog" or a file's absolute path; where that is as before, it goes on. */
void log_open_at(const char *name, enum log_level level, const char *where);
/*
 * From here on the text of every line, with LF, is put at the end of `to` and goes nowhere else; NULL:
 * as before. For a program that explains faults in its own words.
 */
void log_divert(struct buf *to);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Whether that character starts a line, steers a terminal or turns the order of what stands around it:
 * ASCII's controls, those of ISO 6429 (U+0080 to U+009F), Unicode's line ends, its bidirectional
 * embeddings, overrides, isolates and marks.
 */
bool log_steers(uint32_t character);
/* Anybody's words, made harmless in place: such characters, and bytes that are no UTF-8, become "?". */
void log_plain(char *text);

#endif
