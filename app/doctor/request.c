/* Requests to the public URL. */
#include "doctor/request.h"

#include <string.h>

#include "cli/call.h"
#include "doctor/probe.h"
#include "wire/json.h"

#define CONNECT_MS 10000
#define REPLY_MS 20000
#define TEXT_CAP 8192

static void on_reply(void *context, struct str bytes)
{
	struct buf *reply = context;

	if (bytes.n > reply->cap - reply->len)
		bytes.n = reply->cap - reply->len;
	buf_str(reply, bytes);
}

void doctor_request_init(struct doctor_request *request, const struct doctor *doctor,
			 const char *path)
{
	memset(request, 0, sizeof(*request));
	buf_init(&request->url, TEXT_CAP);
	buf_init(&request->headers, TEXT_CAP);
	buf_init(&request->reply, TEXT_CAP);
	buf_printf(&request->url, "%s%s", doctor->url, path);
	buf_puts(&request->headers, "Content-Type: application/json");
	request->probe = (struct probe){
		.ca = cli_value(doctor->call, "--ca"),
		.connect_ms = CONNECT_MS,
		.total_ms = REPLY_MS,
		.bytes = on_reply,
		.context = &request->reply,
	};
}

bool doctor_request_run(struct doctor_request *request, struct doctor *doctor, const char *check)
{
	request->probe.url = buf_text(&request->url);
	request->probe.headers = buf_text(&request->headers);
	if (probe_run(&request->probe) == STATUS_OK && request->probe.status)
		return true;
	doctor_probe_failed(doctor, check, &request->probe, "--url", NULL);
	return false;
}

void doctor_request_clear(struct doctor_request *request)
{
	probe_clear(&request->probe);
	buf_clear(&request->url);
	buf_wipe(&request->headers);
	buf_clear(&request->reply);
}

bool doctor_request_says(const struct doctor_request *request, const char *member,
			 const char *value)
{
	struct json *json = NULL;
	struct str text = STR("");
	bool says;

	if (json_parse(buf_view(&request->reply), &json))
		return false;
	says = json_get_string(json_member(json_root(json), member), &text) &&
	       str_equal(text, str_from(value));
	json_free(json);
	return says;
}
