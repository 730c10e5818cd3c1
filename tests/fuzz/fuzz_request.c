/*
 * http/serve over stubs: whatever a web server says of a request, and whatever its body is, there is one reply, with a
 * status of the contract and headers that hold nothing of the client's but what may stand there; it is the same when the
 * same is asked again; a path is ours exactly if it is one of the contract's; and an exchange begins only for a body that
 * is one.
 *
 * An input is lines NAME=VALUE, an empty line, and the body. A value @ is a good key.
 */
#include "fuzz.h"

#include "oracle_json.h"
#include "stub_serve.h"

#define BODY_MAX 65536
#define ID "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static const struct stub_piece pieces[] = {
	{ .bytes = STR(DELTA("Hel") DELTA("lo")) },
	{ .bytes = STR(FINISH("stop") USAGE DONE) },
};
static const struct stub_row json_started[] = { { { "started", "c-1", "m-1", [11] = "f" } } };
static const struct stub_answer json_good[] = { { .rows = json_started, .count = 1 }, STORED };
static const struct stub_row bad_request[] = { { { "bad_request" } } };
static const struct stub_answer refused[] = { { .rows = bad_request, .count = 1 } };

static struct stub_serve s;
static char store[1 << 17]; /* the parameters' texts */
static size_t used;

static const char *keep(struct str text)
{
	char *at = store + used;

	must(used + text.n + 1 <= sizeof(store));
	if (text.n)
		memcpy(at, text.p, text.n);
	at[text.n] = '\0';
	used += text.n + 1;
	return at;
}

static void add(struct str name, struct str value)
{
	if (stub_gateway.count == STUB_GATEWAY_PARAMS)
		return;
	if (str_equal(value, STR("@")))
		value = str_from(str_equal(name, STR("HTTP_AUTHORIZATION")) ? s.workspace
									    : s.widget);
	stub_gateway_param(keep(name), keep(value));
}

/* What is no line of a parameter is left out. */
static void read_input(struct str rest)
{
	struct str line, name;

	stub_gateway_clear();
	used = 0;
	while (str_next(&rest, '\n', &line) && line.n) {
		name = str_cut(&line, STR("="));
		if (name.n && str_only(name, STR("_")))
			add(name, line.p ? line : STR(""));
	}
	stub_gateway.body = fuzz_copy(rest);
	if (!stub_gateway.body.p)
		stub_gateway.body = STR("");
}

static bool is_object(struct str text)
{
	struct oracle_json json;
	bool is;

	oracle_json_read(&json, text, false, 32);
	is = json.root && json.root->kind == ORACLE_OBJECT;
	oracle_json_clear(&json);
	return is;
}

/* A body that is none is the database's to refuse, behind the key: its row says so. */
static void serve(bool json, struct buf *out)
{
	struct str body = stub_gateway.body;
	struct buf log;

	if (body.n > BODY_MAX || !is_object(body))
		stub_serve_script(refused, 1, pieces, 0);
	else
		stub_serve_script(json ? json_good : stub_good, 2, pieces, COUNT(pieces));
	stub_gateway.n = stub_gateway.taken = 0;
	buf_init(&log, 1 << 16);
	log_divert(&log);
	http_serve(&s.context);
	log_divert(NULL);
	must(!strstr(buf_text(&log), s.widget) && !strstr(buf_text(&log), s.workspace));
	buf_clear(&log);
	buf_init(out, sizeof(stub_gateway.out));
	buf_str(out, stub_gateway_out());
	must(stub_db.rows_alive == 0);
}

static struct str param(const char *name)
{
	return gateway_param(&s.gateway, name);
}

/* What counts of the path that is asked for, read once more. */
static void read_path(char *path, size_t size)
{
	char *at, *query;
	size_t i, n;

	if (param("REQUEST_URI").n) {
		snprintf(path, size, "%s", param("REQUEST_URI").p);
		for (i = 0; i < 2; i++) {
			n = 7 + i;
			if (strncmp(path, i ? "https://" : "http://", n) == 0) {
				at = strchr(path + n, '/');
				memmove(path, at ? at : "/", at ? strlen(at) + 1 : 2);
				break;
			}
		}
	} else {
		snprintf(path, size, "%s%s", param("SCRIPT_NAME").p ? param("SCRIPT_NAME").p : "",
			 param("PATH_INFO").p ? param("PATH_INFO").p : "");
	}
	query = strchr(path, '?');
	if (query)
		*query = '\0';
	n = strlen(path);
	if (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
}

enum whose {
	NOBODYS,
	OURS,	/* of the seed's two APIs */
	OTHERS, /* may be one: what is said there their own tests hold */
};

/* The contract's paths. */
static enum whose whose(void)
{
	static const char *const paths[] = { "/health", "/v1/chat", "/v1/chat/stream", "/chat" };
	static const char *const others[] = {
		"/metrics",
		"/status",
		"/v1/chat/completions",
		"/v1/chat/conversations",
		"/v1/models",
		"/v1/ui",
		"/v1/ag-ui",
		"/v1/deep-chat",
		"/v1/n8n",
		"/v1/openapi.json",
	};
	const char begin[] = "/api/v1/chatbots/";
	char path[1 << 16], *at;
	size_t i;

	read_path(path, sizeof(path));
	for (i = 0; i < COUNT(paths); i++)
		if (strcmp(path, paths[i]) == 0)
			return OURS;
	for (i = 0; i < COUNT(others); i++)
		if (strncmp(path, others[i], strlen(others[i])) == 0)
			return OTHERS;
	if (strncmp(path, begin, sizeof(begin) - 1) != 0)
		return NOBODYS;
	at = strchr(path + sizeof(begin) - 1, '/');
	if (!at || at == path + sizeof(begin) - 1)
		return NOBODYS;
	return strncmp(at, "/conversations", 14) == 0 ? OTHERS
	       : strcmp(at, "/chat") == 0	      ? OURS
						      : NOBODYS;
}

static bool known_header(struct str name)
{
	static const char *const names[] = {
		"Status",
		"Content-Type",
		"X-Request-Id",
		"Cache-Control",
		"X-Content-Type-Options",
		"Referrer-Policy",
		"X-Accel-Buffering",
		"Allow",
		"Retry-After",
		"X-RateLimit-Limit",
		"X-RateLimit-Remaining",
		"X-RateLimit-Reset",
		"Vary",
		"Access-Control-Allow-Origin",
		"Access-Control-Expose-Headers",
		"Access-Control-Allow-Methods",
		"Access-Control-Allow-Headers",
		"Access-Control-Max-Age",
		"X-Visitor-Token",
		"X-Vercel-AI-UI-Message-Stream",
		"ETag",
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (str_equal(name, str_from(names[i])))
			return true;
	return false;
}

static bool known_status(int status)
{
	static const int all[] = { 200, 202, 204, 304, 400, 401, 402,
				   403, 404, 405, 409, 429, 500, 503 };
	size_t i;

	for (i = 0; i < COUNT(all); i++)
		if (all[i] == status)
			return true;
	return false;
}

/* The client's own id where it may be one, else one of ours. */
static void id_is_right(struct str id)
{
	struct str own = param("HTTP_X_REQUEST_ID");
	static const char *const secrets[] = { "sk-widget_", "sk-workspace_", "pk-site_",
					       "vt-site_", "sk-identity_" };
	bool good = own.n && own.n <= 128 && strspn(own.p, ID) == own.n;
	size_t i;

	for (i = 0; i < COUNT(secrets); i++)
		good = good && !strstr(own.p, secrets[i]);

	must(id.n && id.n <= 128 && str_only(id, STR("._-")));
	must(str_equal(id, own) == good);
}

struct reply_read {
	int status;
	struct str body;
	bool stream;
};

/* The head, line by line; the id is taken out of the text, since one of ours is never the same. */
static void read_reply(struct buf *out, struct reply_read *reply)
{
	struct str rest = buf_view(out), line, name;
	size_t i;

	*reply = (struct reply_read){ .status = 0 };
	for (;;) {
		line = str_cut(&rest, STR("\r\n"));
		must(rest.p);
		if (!line.n)
			break;
		for (i = 0; i < line.n; i++)
			must((unsigned char)line.p[i] >= 0x20);
		name = str_cut(&line, STR(": "));
		must(known_header(name) && line.p);
		if (str_equal(name, STR("Status")))
			reply->status = atoi(line.p);
		if (str_equal(name, STR("Content-Type")))
			reply->stream = str_equal(line, STR("application/x-ndjson")) ||
					str_equal(line, STR("text/event-stream"));
		if (str_equal(name, STR("X-Request-Id"))) {
			id_is_right(line);
			memset((char *)(uintptr_t)line.p, 'x', line.n < 8 ? line.n : 8);
			if (!str_equal(line, param("HTTP_X_REQUEST_ID")))
				memset((char *)(uintptr_t)line.p, 'x', line.n);
		}
	}
	reply->body = rest;
}

/* Each line of a stream is an event, or says nothing. */
static void is_stream(struct str body)
{
	struct str line;

	while (body.n && str_next(&body, '\n', &line)) {
		if (str_starts(line, STR("data: ")))
			line = str_skip(line, 6);
		must(!line.n || is_object(line));
	}
}

static void judge(const struct reply_read *reply)
{
	struct str body = stub_gateway.body;
	bool empty = reply->status == 204 || str_equal(param("REQUEST_METHOD"), STR("HEAD"));

	must(known_status(reply->status));
	if (whose() == OTHERS)
		return;
	must((reply->status == 404) == (whose() == NOBODYS));
	/* No model is asked for what is no body. */
	must(!stub_http.at || (body.n <= BODY_MAX && is_object(body)));
	if (reply->stream)
		is_stream(reply->body);
	else
		must(empty ? !reply->body.n : is_object(reply->body));
}

static void set_up(void)
{
	must(stub_serve_new(&s) == STATUS_OK);
	s.config.allowed_origins = "https://example.com";
	s.config.trusted_proxies = "127.0.0.1,10.0.0.0/8";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct str input = { (const char *)data, size };
	struct reply_read reply, other;
	struct buf first, second;
	bool json;

	if (!ready)
		set_up();
	ready = true;
	read_input(input);
	json = fuzz_seed(input) & 1 && whose() != OTHERS; /* some of them always stream */
	serve(json, &first);
	read_reply(&first, &reply);
	judge(&reply);
	serve(json, &second);
	read_reply(&second, &other);
	must(whose() == OTHERS || str_equal(buf_view(&first), buf_view(&second)));
	if (stub_gateway.body.n)
		fuzz_free(stub_gateway.body);
	buf_clear(&first);
	buf_clear(&second);
	return 0;
}
