/*
 * Files of settings. For edge/settings: which of them there are, and in which order they count, is
 * said there.
 */
#ifndef EDGE_SETTINGS_FILE_H
#define EDGE_SETTINGS_FILE_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "wire/config.h"

/*
 * All return STATUS_NOMEM, or STATUS_INVALID with the reason appended to `why`, without the path of
 * a file of settings or of model servers; `config` may then be half filled.
 */

/* A file of NAME=value lines. */
enum status settings_file_load(const char *path, struct config *config, struct buf *why) MUST_CHECK;
/* A file of model servers, a section each, which are added to the default one. */
enum status settings_file_load_servers(const char *path, struct config *config,
				       struct buf *why) MUST_CHECK;
/* The secret `name` from the file that NAME_FILE names. */
enum status settings_file_secret(const char *path, struct str name, struct config *config,
				 struct buf *why) MUST_CHECK;
/* STATUS_INVALID: a secret cannot be given in both ways. */
enum status settings_file_both_ways(struct str name, struct buf *why) MUST_CHECK;

/*
 * What a file of a secret holds, without its line's end. STATUS_INVALID: errno says why (EFBIG:
 * beyond the cap; EILSEQ: no text).
 */
enum status settings_file_read_secret(const char *path, struct buf *out) MUST_CHECK;

#endif
