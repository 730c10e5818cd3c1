/* The way of a client: through the web server, and whatever stands in front of it. */
#include "doctor/web.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "doctor/probe.h"
#include "doctor/request.h"
#include "doctor/server_names.h"
#include "doctor/tenant.h"
#include "doctor/web_stream.h"

#define BODY_MOST 65536 /* of most requests (G3) */
#define DAY 86400
#define FEW_DAYS 14

static void see_certificate(struct doctor *doctor, const struct probe *probe)
{
	int64_t days = (probe->certificate_end - clock_wall_ms() / 1000) / DAY;
	bool local = strncmp(doctor->url, "http://127.", 11) == 0 ||
		     strncmp(doctor->url, "http://localhost", 16) == 0 ||
		     strncmp(doctor->url, "http://[::1]", 12) == 0;

	if (strncmp(doctor->url, "http://", 7) == 0) {
		if (local)
			return;
		report_find(doctor->report, REPORT_WARNING, "web TLS",
			    "keys and conversations cross the network unencrypted");
		report_step(doctor->report,
			    "a certificate for the web server, such as certbot's, and "
			    "https:// for clients");
	} else if (probe->certificate_end && days < FEW_DAYS) {
		report_find(doctor->report, REPORT_WARNING, "web TLS",
			    "the certificate ends in %" PRId64 " days", days);
		report_step(doctor->report, "renew it, and see why nothing renews it by itself");
	} else if (probe->certificate_end) {
		report_find(doctor->report, REPORT_OK, "web TLS",
			    "the certificate holds for %" PRId64 " days", days);
	}
}

static void health_failed(struct doctor *doctor, const struct doctor_request *request)
{
	int status = request->probe.status;
	bool ours = probe_header(&request->probe, "X-Request-Id").p;

	report_find(doctor->report, REPORT_WRONG, "web", "%s answers with %d%s",
		    buf_text(&request->url), status,
		    status == 200 ? ", but not as Banter does" : "");
	if (status == 404 && ours)
		report_step(doctor->report,
			    "BANTER_PATH_PREFIX: the path of the URL (it is \"%s\" here), "
			    "in the pool's settings",
			    doctor->config->path_prefix);
	else if (status == 502 || status == 504 || (status == 503 && !doctor->pool))
		report_step(doctor->report,
			    "the web server does not reach the pool: the socket's path in "
			    "its settings, and its right to connect");
	else if (status == 503)
		report_step(doctor->report,
			    "the pool does not reach the database, or the web server not "
			    "the pool: their logs");
	else if (status >= 300 && status < 400)
		report_step(doctor->report, "--url with the address it redirects to");
	else
		report_step(doctor->report,
			    "is the URL the API's, with its folder? the web server should "
			    "pass it to Banter (see deploy/)");
}

static bool see_health(struct doctor *doctor)
{
	struct doctor_request request;
	bool good = false;

	doctor_request_init(&request, doctor, "/health");
	if (doctor_request_run(&request, doctor, "web")) {
		good = request.probe.status == 200 && doctor_request_says(&request, "status", "ok");
		if (good)
			report_find(doctor->report, REPORT_OK, "web", "%s answers%s%.*s",
				    doctor->url,
				    probe_header(&request.probe, "Server").p ? " through " : "",
				    STR_ARGS(probe_header(&request.probe, "Server")));
		else
			health_failed(doctor, &request);
		see_certificate(doctor, &request.probe);
		doctor_probe_date(doctor, "web", &request.probe);
	}
	doctor_request_clear(&request);
	return good;
}

/* A key that cannot be one, so that nothing is spent: what matters is whether it arrives. */
static void see_authorization(struct doctor *doctor)
{
	struct doctor_request request;

	doctor_request_init(&request, doctor, "/api/v1/chatbots/doctor/chat");
	buf_puts(&request.headers, "\nAuthorization: Bearer sk-workspace_doctor");
	request.probe.body = STR("{\"message\":\"doctor\"}");
	if (!doctor_request_run(&request, doctor, "web keys"))
		goto out;
	if (doctor_request_says(&request, "code", "MISSING_AUTH_HEADER")) {
		report_find(doctor->report, REPORT_WRONG, "web keys",
			    "the web server keeps the Authorization header to itself: the chatbot "
			    "API cannot be used");
		report_step(doctor->report, "%s",
			    server_names_advice(&request.probe)->authorization);
	} else if (request.probe.status == 401 &&
		   doctor_request_says(&request, "code", "INVALID_API_KEY")) {
		report_find(doctor->report, REPORT_OK, "web keys",
			    "the Authorization header arrives");
	} else if (request.probe.status == 429) {
		report_find(doctor->report, REPORT_UNTRIED, "web keys",
			    "too many wrong keys came from this address");
	} else {
		report_find(doctor->report, REPORT_WRONG, "web keys",
			    "a wrong key is answered with %d, not with Banter's 401",
			    request.probe.status);
		report_step(doctor->report,
			    "let the web server pass all methods and paths below %s to "
			    "Banter",
			    doctor->url);
	}
out:
	doctor_request_clear(&request);
}

/* The longest body that a path takes, with a key that cannot be one. True if it arrives. */
static bool body_arrives(struct doctor *doctor, const char *path, size_t size,
			 enum report_verdict otherwise)
{
	struct doctor_request request;
	struct buf body;
	bool good = false;

	buf_init(&body, size);
	buf_puts(&body, "{\"message\":\"");
	while (body.len < size - 2 && !buf_check(&body))
		buf_putc(&body, 'a');
	buf_puts(&body, "\"}");
	doctor_request_init(&request, doctor, path);
	buf_puts(&request.headers, "\nx-api-key: doctor");
	request.probe.body = buf_view(&body);
	if (!doctor_request_run(&request, doctor, "web body"))
		goto out;
	if (request.probe.status == 401 && doctor_request_says(&request, "error", "Unauthorized")) {
		good = true;
	} else if (request.probe.status == 429) {
		report_find(doctor->report, REPORT_UNTRIED, "web body",
			    "too many requests came from this address");
	} else {
		report_find(doctor->report, otherwise, "web body",
			    "a body of %zu KiB, which %s takes, is answered with %d", size / 1024,
			    path, request.probe.status);
		report_step(doctor->report, "%s", server_names_advice(&request.probe)->body);
	}
out:
	buf_clear(&body);
	doctor_request_clear(&request);
	return good;
}

/* Who has no front end that sends the whole conversation can do without the long ones. */
static void see_body(struct doctor *doctor)
{
	size_t most = (size_t)doctor->config->body_bytes;

	if (body_arrives(doctor, "/v1/chat", BODY_MOST, REPORT_WRONG) &&
	    body_arrives(doctor, "/v1/deep-chat", most, REPORT_WARNING))
		report_find(doctor->report, REPORT_OK, "web body", "%zu KiB pass", most / 1024);
}

void doctor_web(struct doctor *doctor)
{
	if (!doctor->url) {
		report_find(doctor->report, REPORT_UNTRIED, "web", "no --url was given");
		report_step(doctor->report,
			    "banterctl doctor --url https://THE_ADDRESS_CLIENTS_USE");
		return;
	}
	if (!see_health(doctor))
		return;
	see_authorization(doctor);
	see_body(doctor);
	if (!doctor->with_model)
		report_find(doctor->report, REPORT_UNTRIED, "web stream", "--no-model was given");
	else if (doctor_tenant_take(doctor))
		doctor_web_stream(doctor);
}
