/*
 * The chat widget's files, as app/http/web-files makes them of app/web's. They need neither key nor database, and who asks
 * for them is counted nowhere.
 */
#include "http/web.h"

#include "http/serve.h"

/* Thousandths, of a weight such as "0.25"; what is none weighs nothing. */
static int read_weight(struct str text)
{
	struct str whole = str_cut(&text, STR("."));
	int64_t left = 0, right = 0;
	size_t digits = text.n;

	if (!str_number(whole, 10, &left) || digits > 3 ||
	    (digits && !str_number(text, 10, &right)))
		return 0;
	for (; digits < 3; digits++)
		right *= 10;
	return left ? 1000 : (int)right;
}

/* Takes the next coding off the front of a list such as "gzip, br;q=0.5". False at its end. */
static bool take_coding(struct str *list, struct str *name, int *weight)
{
	struct str one, member;

	if (!str_next(list, ',', &one))
		return false;
	*name = str_trim(str_cut(&one, STR(";")), STR_SPACE);
	*weight = 1000;
	while (one.n) {
		member = str_trim(str_cut(&one, STR(";")), STR_SPACE);
		if (str_same((struct str){ member.p, member.n < 2 ? 0 : 2 }, STR("q=")))
			*weight = read_weight(str_skip(member, 2));
	}
	return true;
}

bool web_takes_gzip(struct str accepted)
{
	int weight, gzip = -1, plain = -1, others = 0;
	struct str name;

	while (take_coding(&accepted, &name, &weight)) {
		if (str_same(name, STR("gzip")) || str_same(name, STR("x-gzip")))
			gzip = weight;
		else if (str_same(name, STR("identity")))
			plain = weight;
		else if (str_equal(name, STR("*")))
			others = weight;
	}
	if (gzip < 0)
		gzip = others;
	return gzip > 0 && gzip >= plain;
}

static void serve(struct request *request, struct reply *reply, const struct web_file *file,
		  enum reply_cache cache)
{
	static const struct reply_header headers[] = {
		{ "Vary", "Accept-Encoding" },
		{ "Cross-Origin-Resource-Policy", "cross-origin" },
		{ NULL, NULL },
	};
	bool gzip = web_takes_gzip(request_header(request, "HTTP_ACCEPT_ENCODING"));

	reply_send(reply,
		   &(struct reply_head){ .status = 200,
					 .type = "text/javascript; charset=utf-8",
					 .encoding = gzip ? "gzip" : NULL,
					 .cache = cache,
					 .etag = gzip ? file->gzip_tag : file->tag,
					 .headers = headers },
		   gzip ? file->gzip : file->text);
}

void web_serve_loader(struct http_context *context, struct request *request, struct reply *reply,
		      const struct route_match *match)
{
	(void)context;
	(void)match;
	reply->any_origin = true;
	serve(request, reply, &web_files[0], CACHE_MINUTES);
}

/* A loader of another release may still be kept somewhere: it gets what is there now, and may not keep that. */
void web_serve_file(struct http_context *context, struct request *request, struct reply *reply,
		    const struct route_match *match)
{
	struct str version = route_variable(match, "version"), name = route_variable(match, "file");
	bool ours = str_equal(version, str_from(web_version));
	const struct web_file *file = &web_files[1];

	(void)context;
	reply->any_origin = true;
	while (file->name && !str_equal(name, str_from(file->name)))
		file++;
	if (file->name)
		serve(request, reply, file, ours ? CACHE_FOREVER : CACHE_REVALIDATE);
	else
		reply_error(reply, ERROR_NOT_FOUND);
}
