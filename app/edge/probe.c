/* Probes by libcurl's easy interface: nothing else waits meanwhile. */
#include "edge/probe.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define HEAD_CAP 65536
#define HEADER_CAP 8192

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct probe *probe = context;

	if (probe->bytes)
		probe->bytes(probe->context, (struct str){ bytes, size * count });
	return size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct probe *probe = context;

	if (str_starts((struct str){ bytes, size * count }, STR("HTTP/")))
		buf_reset(&probe->head); /* what came before was an interim answer's */
	buf_append(&probe->head, bytes, size * count);
	return size * count;
}

static enum status add_headers(struct curl_slist **list, struct str lines)
{
	struct curl_slist *longer = NULL;
	enum status status = STATUS_OK;
	struct buf line;

	buf_init(&line, HEADER_CAP);
	while (lines.n && status == STATUS_OK) {
		buf_reset(&line);
		buf_str(&line, str_cut(&lines, STR("\n")));
		longer = curl_slist_append(*list, buf_text(&line));
		status = buf_check(&line) || !longer ? STATUS_NOMEM : STATUS_OK;
		*list = longer ? longer : *list;
	}
	buf_wipe(&line);
	return status;
}

static enum status set_options(CURL *easy, struct probe *probe, struct curl_slist *headers)
{
	CURLcode bad = CURLE_OK;

#define SET(option, value)                                                                         \
	do {                                                                                       \
		CURLcode code = curl_easy_setopt(easy, option, value);                             \
		bad = bad ? bad : code;                                                            \
	} while (0)
	SET(CURLOPT_URL, probe->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_USERAGENT, "banterctl");
	SET(CURLOPT_ACCEPT_ENCODING, ""); /* as browsers do; it is unpacked as it comes */
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)probe->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)probe->total_ms);
	SET(CURLOPT_CERTINFO, 1L);
	SET(CURLOPT_WRITEFUNCTION, on_bytes);
	SET(CURLOPT_WRITEDATA, probe);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, probe);
	if (probe->ca && *probe->ca)
		SET(CURLOPT_CAINFO, probe->ca);
	if (probe->body.p) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)probe->body.n);
		SET(CURLOPT_POSTFIELDS, probe->body.p);
	}
#undef SET
	return bad ? STATUS_FAILED : STATUS_OK;
}

/* The numbers are those of OpenSSL's X509_V_ERR_…, which libcurl hands on. */
static enum probe_end certificate_fault(CURL *easy)
{
	long why = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &why);
	switch (why) {
	case 0:
	case 1: /* it had not been looked at yet */
	case 62:
		return PROBE_WRONG_NAME;
	case 9:
		return PROBE_NOT_YET;
	case 10:
		return PROBE_EXPIRED;
	default:
		return PROBE_UNKNOWN_CA;
	}
}

static enum probe_end end_of(CURL *easy, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return PROBE_DONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return PROBE_NO_HOST;
	case CURLE_COULDNT_CONNECT:
		return PROBE_NO_ONE;
	case CURLE_OPERATION_TIMEDOUT:
		return PROBE_LATE;
	case CURLE_SSL_CONNECT_ERROR:
		return PROBE_NOT_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
		return certificate_fault(easy);
	case CURLE_SSL_CACERT_BADFILE:
		return PROBE_BAD_CA;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return PROBE_CUT;
	default:
		return PROBE_OTHER;
	}
}

/* "Expire date:Nov 21 12:00:00 2026 GMT", of the host's own certificate, which comes first. */
static int64_t certificate_end(CURL *easy)
{
	static const char name[] = "Expire date:";
	struct curl_certinfo *chain = NULL;
	struct curl_slist *at;
	struct tm tm = { 0 };

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) || !chain || !chain->num_of_certs)
		return 0;
	for (at = chain->certinfo[0]; at; at = at->next)
		if (strncmp(at->data, name, sizeof(name) - 1) == 0 &&
		    strptime(at->data + sizeof(name) - 1, " %b %d %H:%M:%S %Y", &tm))
			return timegm(&tm);
	return 0;
}

/* A key may be among them. */
static void wipe_list(struct curl_slist *list)
{
	struct curl_slist *at;

	for (at = list; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(list);
}

enum status probe_run(struct probe *probe)
{
	struct curl_slist *headers = NULL;
	CURL *easy = curl_easy_init();
	char words[CURL_ERROR_SIZE] = "";
	enum status status = STATUS_NOMEM;
	int64_t began = clock_ms();
	CURLcode code;
	long http = 0;

	buf_init(&probe->head, HEAD_CAP);
	probe->end = PROBE_OTHER;
	probe->status = 0;
	probe->certificate_end = 0;
	probe->cause[0] = '\0';
	if (easy)
		status = add_headers(&headers, str_from(probe->headers ? probe->headers : ""));
	if (status == STATUS_OK)
		status = add_headers(&headers, STR("Expect:"));
	if (status == STATUS_OK)
		status = set_options(easy, probe, headers);
	if (status == STATUS_OK) {
		curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
		code = curl_easy_perform(easy);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http);
		probe->status = (int)http;
		probe->end = end_of(easy, code);
		probe->certificate_end = certificate_end(easy);
		if (code)
			snprintf(probe->cause, sizeof(probe->cause), "%s",
				 *words ? words : curl_easy_strerror(code));
	}
	probe->ms = clock_ms() - began;
	wipe_list(headers);
	curl_easy_cleanup(easy);
	return status;
}

void probe_clear(struct probe *probe)
{
	buf_clear(&probe->head);
}

struct str probe_header(const struct probe *probe, const char *name)
{
	struct str rest = buf_view(&probe->head), line;
	size_t n = strlen(name);

	while (rest.n) {
		line = str_cut(&rest, STR("\r\n"));
		if (line.n <= n || line.p[n] != ':' ||
		    !str_same((struct str){ line.p, n }, str_from(name)))
			continue;
		line = str_skip(line, n + 1);
		while (line.n && *line.p == ' ')
			line = str_skip(line, 1);
		return line;
	}
	return STR_NONE;
}
