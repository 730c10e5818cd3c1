/*
 * The one thing that grows.  A buffer has a cap; an append that would pass it, or
 * finds no memory, leaves the buffer failed, and every later append does nothing:
 * check once with buf_check() before the content is used.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/status.h"
#include "base/str.h"

struct buf {
	char *data; /* NULL until the first append; always followed by a NUL */
	size_t len;
	size_t size; /* bytes allocated */
	size_t cap;  /* most bytes of content */
	bool failed;
	bool lent; /* `data` is not ours to free */
};

/* An empty buffer that will hold at most `cap` bytes.  Allocates nothing. */
void buf_init(struct buf *buf, size_t cap);
/*
 * The same, and what fits into `room`, `size` bytes that are lent until buf_clear(), needs no memory:
 * it cannot fail.  Who lends it also wipes it.
 */
void buf_init_in(struct buf *buf, char *room, size_t size, size_t cap);
/* Frees the content; the buffer is as after buf_init(). */
void buf_clear(struct buf *buf);
/* As buf_clear(), and overwrites the content first. */
void buf_wipe(struct buf *buf);
/* As buf_reset(), but memory of more than `most` bytes is wiped and freed. */
void buf_slim(struct buf *buf, size_t most);

/* ... for which there may be no room yet. */
void buf_append_more(struct buf *buf, const void *bytes, size_t n);

/* What is here is so since a token needs a dozen of each. Forgets content and failure, keeps the memory. */
static inline void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

static inline void buf_append(struct buf *buf, const void *bytes, size_t n)
{
	if (buf->failed || !n || n >= buf->size - buf->len) {
		buf_append_more(buf, bytes, n);
		return;
	}
	memcpy(buf->data + buf->len, bytes, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

static inline void buf_str(struct buf *buf, struct str s)
{
	buf_append(buf, s.p, s.n);
}

static inline void buf_puts(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

static inline void buf_putc(struct buf *buf, char c)
{
	buf_append(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `n` more bytes to be written in place, then claimed with buf_grew(); NULL on failure. */
char *buf_room(struct buf *buf, size_t n);
void buf_grew(struct buf *buf, size_t n);
/* Drops the first `n` bytes (at most all). */
void buf_consume(struct buf *buf, size_t n);
/* Drops what is behind the first `len` bytes. */
void buf_truncate(struct buf *buf, size_t len);
/* The same, and forgets the failure of what was appended behind them. */
void buf_undo(struct buf *buf, size_t len);

/* STATUS_OK, or STATUS_NOMEM if any append since the last reset failed. */
static inline MUST_CHECK enum status buf_check(const struct buf *buf)
{
	return buf->failed ? STATUS_NOMEM : STATUS_OK;
}

/* The content as a C string, borrowed until the next change; "" when empty. */
static inline const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

/* The same, with its length; never absent. */
static inline struct str buf_view(const struct buf *buf)
{
	return (struct str){ buf_text(buf), buf->len };
}

#endif
