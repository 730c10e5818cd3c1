/* edge/http_unpack: the same bytes in each packing, wherever it is cut, and none held back. */
#include "unit.h"

#include <zlib.h>

#include "edge/http_unpack.h"

#define GZIP 31
#define ZLIB 15
#define RAW (-15)

#define TEXT                                                                                       \
	"data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n"                            \
	"data: {\"choices\":[{\"delta\":{\"content\":\" there\"}}]}\n\ndata: [DONE]\n\n"

static void pack(int bits, struct str text, int flush, z_stream *z, struct buf *out)
{
	char *room;

	if (!z->state)
		assert_int_equal(deflateInit2(z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z->next_in = (z_const Bytef *)text.p;
	z->avail_in = (uInt)text.n;
	do {
		room = buf_room(out, 65536);
		assert_non_null(room);
		z->next_out = (Bytef *)room;
		z->avail_out = 65536;
		deflate(z, flush);
		buf_grew(out, 65536 - z->avail_out);
	} while (z->avail_in || !z->avail_out);
	if (flush == Z_FINISH)
		deflateEnd(z);
}

static void pack_all(int bits, struct str text, struct buf *out)
{
	z_stream z = { .state = NULL };

	pack(bits, text, Z_FINISH, &z, out);
}

/* Fed in pieces of `first` bytes, then `size` each. */
static enum status unpack(const char *header, struct str bytes, size_t first, size_t size,
			  struct buf *out)
{
	struct http_unpack it = { .zlib = NULL };
	enum status status = STATUS_OK;
	size_t n = first;

	buf_reset(out);
	http_unpack_begin(&it);
	http_unpack_header(&it, STR("HTTP/1.1 200 OK\r\n"));
	http_unpack_header(&it, str_from(header));
	http_unpack_header(&it, STR("X-Content-Encoding: deflate\r\n"));
	while (bytes.n && status == STATUS_OK) {
		n = n < bytes.n ? n : bytes.n;
		status = http_unpack_feed(&it, (struct str){ bytes.p, n }, out);
		bytes = str_skip(bytes, n);
		n = size;
	}
	http_unpack_clear(&it);
	return status;
}

static void assert_unpacked(const char *header, struct str packed, const char *text)
{
	struct buf out;
	size_t at;

	buf_init(&out, 1 << 20);
	for (at = 0; at <= packed.n; at++) {
		assert_int_equal(unpack(header, packed, at, packed.n, &out), STATUS_OK);
		assert_same(buf_view(&out), str_from(text));
	}
	assert_int_equal(unpack(header, packed, 1, 1, &out), STATUS_OK);
	assert_same(buf_view(&out), str_from(text));
	buf_clear(&out);
}

static void each_packing_wherever_it_is_cut(void **state)
{
	static const struct {
		int bits;
		const char *header;
	} cases[] = {
		{ GZIP, "Content-Encoding: gzip\r\n" },
		{ GZIP, "content-encoding:x-gzip\r\n" },
		{ GZIP, "Server: x\r\n" },
		{ GZIP, "Content-Encoding: deflate\r\n" },
		{ ZLIB, "Content-Encoding: deflate\r\n" },
		{ RAW, "CONTENT-ENCODING:  Deflate \r\n" },
	};
	struct buf packed;
	size_t i;

	(void)state;
	buf_init(&packed, 1 << 20);
	for (i = 0; i < COUNT(cases); i++) {
		buf_reset(&packed);
		pack_all(cases[i].bits, STR(TEXT), &packed);
		assert_unpacked(cases[i].header, buf_view(&packed), TEXT);
	}
	buf_clear(&packed);
}

/* The bytes tell: a proxy may have unpacked what the header still speaks of. */
static void what_is_plain_stays_so(void **state)
{
	static const char *const headers[] = {
		"Content-Encoding: gzip\r\n",	  "Content-Encoding: UTF-8\r\n",
		"Content-Encoding: identity\r\n", "Content-Encoding: br\r\n",
		"Content-Type: deflate\r\n",	  "Content-Encoding: deflate, none\r\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(headers); i++)
		assert_unpacked(headers[i], STR(TEXT), TEXT);
}

static void gzip_may_follow_gzip(void **state)
{
	struct buf packed;

	(void)state;
	buf_init(&packed, 1 << 20);
	pack_all(GZIP, STR("data: a\n\n"), &packed);
	pack_all(GZIP, STR(""), &packed);
	pack_all(GZIP, STR("data: b\n\n"), &packed);
	assert_unpacked("", buf_view(&packed), "data: a\n\ndata: b\n\n");
	/* What follows and is none is nothing. */
	buf_append(&packed, "\0\0\0\0padding", 11);
	assert_unpacked("", buf_view(&packed), "data: a\n\ndata: b\n\n");
	buf_reset(&packed);
	pack_all(RAW, STR("data: a\n\n"), &packed);
	buf_puts(&packed, "padding");
	assert_unpacked("Content-Encoding: deflate", buf_view(&packed), "data: a\n\n");
	buf_clear(&packed);
}

/* S4: what the sender has flushed is there at once. */
static void nothing_is_held_back(void **state)
{
	static const int packings[] = { GZIP, ZLIB, RAW };
	struct http_unpack it = { .zlib = NULL };
	struct buf packed, out;
	char event[32];
	size_t i;
	int n;

	(void)state;
	buf_init(&packed, 1 << 20);
	buf_init(&out, 1 << 20);
	for (i = 0; i < COUNT(packings); i++) {
		z_stream z = { .state = NULL };

		http_unpack_begin(&it);
		http_unpack_header(&it, STR("Content-Encoding: deflate\r\n"));
		for (n = 0; n < 100; n++) {
			buf_reset(&packed);
			buf_reset(&out);
			snprintf(event, sizeof(event), "data: %d\n\n", n);
			pack(packings[i], str_from(event), Z_SYNC_FLUSH, &z, &packed);
			assert_int_equal(http_unpack_feed(&it, buf_view(&packed), &out), STATUS_OK);
			assert_same(buf_view(&out), str_from(event));
		}
		deflateEnd(&z);
	}
	http_unpack_clear(&it);
	buf_clear(&packed);
	buf_clear(&out);
}

static void what_cannot_be_unpacked_is_told(void **state)
{
	struct buf packed, out;
	size_t at;

	(void)state;
	buf_init(&packed, 1 << 20);
	buf_init(&out, 1 << 20);
	assert_int_equal(unpack("", STR("\x1f no gzip"), 1, 1, &out), STATUS_INVALID);
	assert_int_equal(unpack("Content-Encoding: deflate", STR("\xff\xff\xff"), 1, 1, &out),
			 STATUS_INVALID);
	/* Cut short, it gives what came; who reads it knows whether that was all. */
	pack_all(GZIP, STR(TEXT), &packed);
	for (at = 0; at < packed.len; at++)
		assert_int_equal(unpack("", (struct str){ packed.data, at }, at, 1, &out),
				 STATUS_OK);
	packed.data[packed.len - 6] ^= 1; /* its checksum */
	assert_int_equal(unpack("", buf_view(&packed), 7, 7, &out), STATUS_INVALID);
	buf_clear(&packed);
	buf_clear(&out);
}

/* Little that becomes much: at once it is more than one may take, and in all there is an end. */
static void a_bomb_is_stopped(void **state)
{
	static const char zeros[1 << 20];
	struct http_unpack it = { .zlib = NULL };
	enum status status = STATUS_OK;
	z_stream z = { .state = NULL };
	struct buf packed, out;
	size_t came = 0, i;

	(void)state;
	buf_init(&packed, 4 << 20);
	buf_init(&out, 4 << 20);
	for (i = 0; i < (HTTP_UNPACK_MOST >> 20) + 1; i++)
		pack(GZIP, (struct str){ zeros, sizeof(zeros) }, Z_NO_FLUSH, &z, &packed);
	pack(GZIP, STR(""), Z_FINISH, &z, &packed);
	assert_true(packed.len < 1 << 20);
	assert_int_equal(unpack("", buf_view(&packed), packed.len, 1, &out), STATUS_NOMEM);
	http_unpack_begin(&it);
	for (i = 0; i < packed.len && status == STATUS_OK; i += 1000) {
		buf_reset(&out);
		status = http_unpack_feed(&it,
					  (struct str){ packed.data + i, packed.len - i < 1000
										 ? packed.len - i
										 : 1000 },
					  &out);
		came += out.len;
	}
	assert_int_equal(status, STATUS_NOMEM);
	assert_in_range(came, HTTP_UNPACK_MOST - (2 << 20), HTTP_UNPACK_MOST);
	http_unpack_clear(&it);
	buf_clear(&packed);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packing_wherever_it_is_cut),
		cmocka_unit_test(what_is_plain_stays_so),
		cmocka_unit_test(gzip_may_follow_gzip),
		cmocka_unit_test(nothing_is_held_back),
		cmocka_unit_test(what_cannot_be_unpacked_is_told),
		cmocka_unit_test(a_bomb_is_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
