/* Opening the table of limits: anonymous shared memory, or a file that processes of one user share. */
#ifndef CHAT_LIMIT_FILE_H
#define CHAT_LIMIT_FILE_H

#include <stdint.h>

#include "base/status.h"
#include "chat/limit.h"

/*
 * Maps a table. `file` "" or NULL: anonymous shared memory, to be made before fork. Else that file
 * (0600, made when absent; one of another layout, version, owner or boot is replaced; anything else
 * there is left alone and refused). `holders`: how many workers may hold open exchanges at once
 * (slots 0 … holders-1).
 *   STATUS_NOMEM, STATUS_FAILED (logged: the file cannot be used)
 */
enum status limit_open(const char *file, uint32_t holders, struct limit **out) MUST_CHECK;
/* NULL is fine; the shared content stays for the others. */
void limit_close(struct limit *limit);

#endif
