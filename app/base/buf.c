/* Growing memory under a cap.  Rests on the C library alone. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t cap)
{
	*buf = (struct buf){ .cap = cap };
}

void buf_init_in(struct buf *buf, char *room, size_t size, size_t cap)
{
	*buf = (struct buf){ .data = room, .size = size, .cap = cap, .lent = true };
	*room = '\0';
}

void buf_clear(struct buf *buf)
{
	if (!buf->lent)
		free(buf->data);
	buf_init(buf, buf->cap);
}

void buf_wipe(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->size);
	buf_clear(buf);
}

void buf_slim(struct buf *buf, size_t most)
{
	if (buf->size > most)
		buf_wipe(buf);
	else
		buf_reset(buf);
}

/* What was lent stays with its owner. */
static char *grown(const struct buf *buf, size_t size)
{
	char *data = realloc(buf->lent ? NULL : buf->data, size);

	if (data && buf->lent)
		memcpy(data, buf->data, buf->len + 1);
	return data;
}

char *buf_room(struct buf *buf, size_t n)
{
	size_t need, size;
	char *data;

	if (buf->failed || n > buf->cap - buf->len) {
		buf->failed = true;
		return NULL;
	}
	need = buf->len + n + 1;
	if (need > buf->size) {
		size = buf->size ? buf->size : 64;
		while (size < need)
			size *= 2;
		if (size > buf->cap + 1)
			size = buf->cap + 1;
		data = grown(buf, size);
		if (!data) {
			buf->failed = true;
			return NULL;
		}
		buf->data = data;
		buf->size = size;
		buf->lent = false;
	}
	return buf->data + buf->len;
}

void buf_grew(struct buf *buf, size_t n)
{
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void buf_append_more(struct buf *buf, const void *bytes, size_t n)
{
	char *room = buf_room(buf, n);

	if (!room)
		return;
	if (n)
		memcpy(room, bytes, n);
	buf_grew(buf, n);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	char *room;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	room = n < 0 ? NULL : buf_room(buf, (size_t)n);
	if (room) {
		vsnprintf(room, (size_t)n + 1, format, again);
		buf_grew(buf, (size_t)n);
	} else {
		buf->failed = true;
	}
	va_end(again);
}

void buf_consume(struct buf *buf, size_t n)
{
	if (n >= buf->len) {
		buf_truncate(buf, 0);
		return;
	}
	memmove(buf->data, buf->data + n, buf->len - n + 1);
	buf->len -= n;
}

void buf_undo(struct buf *buf, size_t len)
{
	buf_truncate(buf, len);
	buf->failed = false;
}

void buf_truncate(struct buf *buf, size_t len)
{
	if (len > buf->len)
		return;
	buf->len = len;
	if (buf->data)
		buf->data[len] = '\0';
}
