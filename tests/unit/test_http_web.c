/* http/web: who gets a file compressed, and what a cache may keep of it; without a database. */
#include "stub_serve.h"

#include "http/web.h"

static struct stub_serve s;

static int set_up(void **state)
{
	(void)state;
	return stub_serve_new(&s) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	stub_serve_free(&s);
	return 0;
}

static void accept_encoding_is_read_with_its_weights(void **state)
{
	static const struct {
		struct str accepted;
		bool gzip;
	} rows[] = {
		{ STR_NONE, false },
		{ STR(""), false },
		{ STR("gzip"), true },
		{ STR("gzip, deflate, br, zstd"), true },
		{ STR("br , GZip ; q=0.5"), true },
		{ STR("x-gzip"), true },
		{ STR("deflate, br"), false },
		{ STR("xgzip, gzipx"), false },
		{ STR("*"), true },
		{ STR("*;q=0"), false },
		{ STR("gzip;q=0"), false },
		{ STR("gzip;q=0.000, *"), false },
		{ STR("*;q=0, gzip"), true },
		{ STR("gzip;q=0.001"), true },
		{ STR("gzip;Q=0"), false },
		{ STR("gzip;a=b;q=0"), false },
		{ STR("gzip;q=1.000"), true },
		{ STR("gzip;q=much"), false },
		{ STR("gzip;q="), false },
		{ STR("gzip;q=-1"), false },
		{ STR("gzip;q=0.0001"), false },
		{ STR("identity"), false },
		{ STR("identity, gzip"), true },
		{ STR("identity, gzip;q=0.5"), false },
		{ STR("identity;q=0.5, gzip;q=0.6"), true },
		{ STR("identity;q=0, gzip;q=0"), false },
		{ STR(",,;,gzip"), true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		if (web_takes_gzip(rows[i].accepted) != rows[i].gzip)
			fail_msg("%.*s", STR_ARGS(rows[i].accepted));
}

/* Serves it; nothing of it may ask the database. */
static struct str ask(const char *method, const char *uri, const char *encoding, const char *known)
{
	static const struct stub_answer none[1];

	stub_http_request(method, uri, "");
	if (encoding)
		stub_gateway_param("HTTP_ACCEPT_ENCODING", encoding);
	if (known)
		stub_gateway_param("HTTP_IF_NONE_MATCH", known);
	stub_serve_script(none, 0, NULL, 0);
	http_serve(&s.context);
	return stub_gateway_out();
}

static void assert_reply(struct str reply, const char *status, const char *type, const char *cache,
			 const char *tag, struct str body)
{
	struct buf want;

	buf_init(&want, 262144);
	buf_printf(&want,
		   "Status: %s\r\n%s" HEAD_ID "Cache-Control: %s\r\n" HEAD_SAFE
		   "Access-Control-Allow-Origin: *\r\n" HEAD_EXPOSED
		   ", X-Visitor-Token\r\nETag: %s\r\nVary: Accept-Encoding\r\n"
		   "Cross-Origin-Resource-Policy: cross-origin\r\n\r\n",
		   status, type, cache, tag);
	buf_str(&want, body);
	assert_int_equal(reply.n, want.len);
	assert_memory_equal(reply.p, buf_text(&want), want.len);
	buf_clear(&want);
}

#define JS "Content-Type: text/javascript; charset=utf-8\r\n"
#define GZIP "Content-Encoding: gzip\r\n"

static const struct web_file *find(const char *name)
{
	const struct web_file *file = web_files;

	while (strcmp(file->name, name) != 0)
		file++;
	return file;
}

static const char *path(const char *version, const char *name)
{
	static char text[100];

	snprintf(text, sizeof(text), "/banter/%s/%s", version, name);
	return text;
}

static void the_loader_is_kept_for_minutes(void **state)
{
	const struct web_file *loader = &web_files[0];

	(void)state;
	assert_string_equal(loader->name, "banter.js");
	assert_true(str_holds(loader->text, str_from(web_version)));
	assert_reply(ask("GET", "/banter.js", NULL, NULL), "200 OK", JS, "public, max-age=300",
		     loader->tag, loader->text);
	assert_reply(ask("HEAD", "/banter.js", "gzip", NULL), "200 OK", JS GZIP,
		     "public, max-age=300", loader->gzip_tag, STR(""));
	assert_reply(ask("GET", "/banter.js", NULL, loader->tag), "304 Not Modified", "",
		     "public, max-age=300", loader->tag, STR(""));
	/* The other form's is not the one that would be sent. */
	assert_reply(ask("GET", "/banter.js", "gzip", loader->tag), "200 OK", JS GZIP,
		     "public, max-age=300", loader->gzip_tag, loader->gzip);
}

static void a_file_of_this_version_is_kept_for_ever(void **state)
{
	const struct web_file *file;

	(void)state;
	for (file = &web_files[1]; file->name; file++)
		assert_reply(ask("GET", path(web_version, file->name), "gzip", NULL), "200 OK",
			     JS GZIP, "public, max-age=31536000, immutable", file->gzip_tag,
			     file->gzip);
}

static void of_another_version_it_is_asked_for_again(void **state)
{
	const struct web_file *file = find("widget.js");

	(void)state;
	assert_reply(ask("GET", path("0123456789abcdef", "widget.js"), NULL, NULL), "200 OK", JS,
		     "no-cache", file->tag, file->text);
	assert_reply(ask("GET", path("0", "widget.js"), "gzip", file->gzip_tag), "304 Not Modified",
		     "", "no-cache", file->gzip_tag, STR(""));
}

static void a_file_that_is_none_is_not_found(void **state)
{
	static const char *const names[] = { "banter.js", "widget.jsx", "..", "widget.js.gz" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++)
		assert_true(str_starts(ask("GET", path(web_version, names[i]), NULL, NULL),
				       STR("Status: 404 Not Found\r\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accept_encoding_is_read_with_its_weights),
		cmocka_unit_test(the_loader_is_kept_for_minutes),
		cmocka_unit_test(a_file_of_this_version_is_kept_for_ever),
		cmocka_unit_test(of_another_version_it_is_asked_for_again),
		cmocka_unit_test(a_file_that_is_none_is_not_found),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
