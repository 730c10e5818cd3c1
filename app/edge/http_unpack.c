/*
 * Not libcurl's decoders: they believe the headers, which are wrong more often than the bytes, and
 * fail a body whose encoding they do not know though it is plain.
 */
#include "edge/http_unpack.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/hot.h"

#define PART 16384 /* bytes unpacked at once */
#define GZIP_FIRST 0x1f
/* zlib's windowBits, after its manual (inflateInit2()), of the largest window. */
#define GZIP_BITS (15 + 16)
#define ZLIB_BITS 15
#define RAW_BITS (-15)

void http_unpack_begin(struct http_unpack *unpack)
{
	http_unpack_clear(unpack);
	unpack->left = HTTP_UNPACK_MOST;
}

void http_unpack_clear(struct http_unpack *unpack)
{
	if (unpack->zlib)
		inflateEnd(unpack->zlib);
	free(unpack->zlib);
	*unpack = (struct http_unpack){ .zlib = NULL };
}

void http_unpack_header(struct http_unpack *unpack, struct str line)
{
	struct str name = str_cut(&line, STR(":"));

	if (str_same(name, STR("Content-Encoding")))
		unpack->deflate = str_same(str_trim(line, STR_SPACE), STR("deflate"));
}

static enum status start(struct http_unpack *unpack, int bits)
{
	z_stream *zlib = calloc(1, sizeof(*zlib));

	if (!zlib)
		return STATUS_NOMEM;
	if (inflateInit2(zlib, bits) != Z_OK) {
		free(zlib);
		return STATUS_NOMEM;
	}
	unpack->zlib = zlib;
	unpack->packing = HTTP_PACKING_SOME;
	return STATUS_OK;
}

/* RFC 1950, 2.2: the method is 8, and the two bytes are a multiple of 31. */
static bool is_zlib_header(unsigned char first, unsigned char second)
{
	return (first & 0x0f) == 8 && (first << 8 | second) % 31 == 0;
}

/* What the body's first bytes tell. */
static enum status see_packing(struct http_unpack *unpack, struct str bytes)
{
	unsigned char first = unpack->held ? unpack->first : (unsigned char)*bytes.p;

	if (first == GZIP_FIRST) {
		unpack->gzip = true;
		return start(unpack, GZIP_BITS);
	}
	if (!unpack->deflate) {
		unpack->packing = HTTP_PACKING_NONE;
		return STATUS_OK;
	}
	if (!unpack->held && bytes.n == 1) {
		unpack->first = first;
		unpack->held = true;
		return STATUS_OK;
	}
	return start(unpack, is_zlib_header(first, (unsigned char)bytes.p[!unpack->held])
				     ? ZLIB_BITS
				     : RAW_BITS);
}

/* Behind a gzip stream another may follow: some pack each event for itself. What is none is over. */
static enum status end_stream(struct http_unpack *unpack, int code)
{
	z_stream *zlib = unpack->zlib;

	if (code == Z_MEM_ERROR)
		return STATUS_NOMEM;
	if (code == Z_STREAM_END && unpack->gzip) {
		unpack->again = true;
		return inflateReset(zlib) == Z_OK ? STATUS_OK : STATUS_NOMEM;
	}
	if (code != Z_STREAM_END && (!unpack->again || zlib->total_out))
		return STATUS_INVALID;
	unpack->packing = HTTP_PACKING_OVER;
	return STATUS_OK;
}

static enum status inflate_all(struct http_unpack *unpack, struct str bytes, struct buf *out)
{
	z_stream *zlib = unpack->zlib;
	enum status status = STATUS_OK;
	int code;

	zlib->next_in = (z_const Bytef *)bytes.p;
	zlib->avail_in = (uInt)bytes.n;
	do {
		zlib->next_out = (Bytef *)buf_room(out, PART);
		if (!zlib->next_out)
			return STATUS_NOMEM;
		zlib->avail_out = PART;
		code = inflate(zlib, Z_SYNC_FLUSH);
		if (PART - zlib->avail_out > unpack->left)
			return STATUS_NOMEM;
		unpack->left -= PART - zlib->avail_out;
		buf_grew(out, PART - zlib->avail_out);
		if (code != Z_OK && code != Z_BUF_ERROR)
			status = end_stream(unpack, code);
	} while (status == STATUS_OK && unpack->packing == HTTP_PACKING_SOME &&
		 (zlib->avail_in || !zlib->avail_out));
	return status;
}

HOT enum status http_unpack_feed(struct http_unpack *unpack, struct str bytes, struct buf *out)
{
	enum status status = STATUS_OK;
	struct str first;

	if (unpack->packing == HTTP_PACKING_UNSEEN && bytes.n)
		status = see_packing(unpack, bytes);
	if (status)
		return status;
	switch (unpack->packing) {
	case HTTP_PACKING_NONE:
		buf_str(out, bytes);
		return buf_check(out);
	case HTTP_PACKING_SOME:
		break;
	default:
		return STATUS_OK;
	}
	if (unpack->held) {
		first = (struct str){ (const char *)&unpack->first, 1 };
		unpack->held = false;
		status = inflate_all(unpack, first, out);
	}
	return status ? status : inflate_all(unpack, bytes, out);
}
