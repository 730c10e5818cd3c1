/*
 * Reading a request. No single CGI variable holds the path everywhere: REQUEST_URI where it is
 * given, else SCRIPT_NAME and PATH_INFO joined.
 */
#include "http/request.h"

#include <string.h>

#include "base/secret.h"
#include "chat/key.h"

#define PATH_CAP 8192

static void read_id(struct request *request)
{
	struct str own = request_header(request, "HTTP_X_REQUEST_ID");

	/* A client's mistake, which must not bring its key into the log and the database. */
	if (own.n && own.n <= REQUEST_ID_MAX && str_only(own, STR("._-")) && !key_stands_in(own))
		memcpy(request->id_text, own.p, own.n + 1);
	else
		secret_new_id(request->id_text);
	request->id = str_from(request->id_text);
}

/* Some clients send the absolute form, which begins with scheme and host. */
static struct str drop_host(struct str uri)
{
	struct str schemes[] = { STR("http://"), STR("https://") };
	const char *slash;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!str_starts(uri, schemes[i]))
			continue;
		uri = str_skip(uri, schemes[i].n);
		slash = memchr(uri.p, '/', uri.n);
		return slash ? str_skip(uri, (size_t)(slash - uri.p)) : STR("/");
	}
	return uri;
}

static void read_path(struct request *request, struct str prefix)
{
	struct str path = request_header(request, "REQUEST_URI");
	const char *query;

	if (path.n) {
		path = drop_host(path);
	} else {
		buf_str(&request->path_text, request_header(request, "SCRIPT_NAME"));
		buf_str(&request->path_text, request_header(request, "PATH_INFO"));
		/* Half of it would be another path. */
		path = buf_check(&request->path_text) ? STR("") : buf_view(&request->path_text);
	}
	query = path.n ? memchr(path.p, '?', path.n) : NULL;
	if (query) {
		request->query = str_skip(path, (size_t)(query - path.p) + 1);
		path.n = (size_t)(query - path.p);
	}
	request->raw_path = path;
	if (!str_starts(path, prefix)) {
		request->path = STR_NONE;
		return;
	}
	path = str_skip(path, prefix.n);
	if (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	request->path = path;
}

/* The setting's list has no white space, and no empty item. */
static bool listed(struct str list, struct str origin)
{
	while (list.n)
		if (str_equal(str_cut(&list, STR(",")), origin))
			return true;
	return false;
}

void request_read(struct request *request, struct gateway *gateway, const struct config *config)
{
	*request = (struct request){ .gateway = gateway };
	buf_init(&request->body, 0);
	buf_init_in(&request->path_text, request->path_room, sizeof(request->path_room), PATH_CAP);
	request->method = request_header(request, "REQUEST_METHOD");
	read_id(request);
	read_path(request, str_from(config->path_prefix));
	limit_address(request_header(request, "REMOTE_ADDR"),
		      gateway_only_param(gateway, "HTTP_X_FORWARDED_FOR"),
		      str_from(config->trusted_proxies), request->address);
	request->origin = request_header(request, "HTTP_ORIGIN");
	request->origin_listed =
		request->origin.p && listed(str_from(config->allowed_origins), request->origin);
	request->preflight = request->origin.p && str_equal(request->method, STR("OPTIONS")) &&
			     request_header(request, "HTTP_ACCESS_CONTROL_REQUEST_METHOD").p;
}

void request_read_body(struct request *request, struct gateway *gateway, size_t most)
{
	buf_init(&request->body, most);
	request->body_status = gateway_read(gateway, &request->body);
}

void request_clear(struct request *request)
{
	buf_wipe(&request->body);
	buf_clear(&request->path_text);
}

struct str request_header(const struct request *request, const char *name)
{
	return gateway_param(request->gateway, name);
}

struct str request_member(const struct request *request, const char *name)
{
	struct str query = request->query, wanted = str_from(name), one;

	while (wanted.p && str_next(&query, '&', &one))
		if (str_equal(str_cut(&one, STR("=")), wanted))
			return one;
	return STR_NONE;
}
