/* libcurl's options, in the one place where they are set. */
#include "edge/http_prepared.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

/*
 * libcurl keeps a parsed CA store for ever: parsing it costs far more than a handshake, and processes that
 * were forked since share it. It keeps one: servers with different files, asked in turn, are parsed for at
 * each new connection.
 */
#define CA_CACHE_S (-1L)
#define UPLOAD_BYTES 16384L /* a TLS record; libcurl would take four times as much */
#define HEADER_CAP 8192	    /* a setting is shorter */

static enum status add_headers(struct curl_slist **list, struct str lines)
{
	enum status status = STATUS_OK;
	struct curl_slist *longer;
	struct buf line;

	buf_init(&line, HEADER_CAP);
	while (lines.n && status == STATUS_OK) {
		buf_reset(&line);
		buf_str(&line, str_cut(&lines, STR("\n")));
		status = buf_check(&line);
		longer = status ? NULL : curl_slist_append(*list, buf_text(&line));
		if (longer)
			*list = longer;
		else
			status = STATUS_NOMEM;
	}
	buf_wipe(&line);
	return status;
}

/* A key may be among them. */
static void wipe_list(struct curl_slist *list)
{
	struct curl_slist *at;

	for (at = list; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(list);
}

static CURLcode set_options(CURL *easy, const struct http_target *target,
			    struct curl_slist *headers)
{
	CURLcode bad = CURLE_OK;

#define SET(option, value)                                                                         \
	do {                                                                                       \
		CURLcode code = curl_easy_setopt(easy, option, value);                             \
		bad = bad ? bad : code;                                                            \
	} while (0)
	SET(CURLOPT_URL, target->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L); /* what is sent, and the key, are for this server alone */
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (!target->http2)
		SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_USERAGENT, target->agent);
	SET(CURLOPT_ACCEPT_ENCODING, target->accept_encoding);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_NOPROGRESS, 1L);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES);
	SET(CURLOPT_QUICK_EXIT, 1L); /* else removing a handle waits for a hung resolver */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)target->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)target->total_ms);
	if (target->spare_ms)
		SET(CURLOPT_MAXAGE_CONN, (long)(target->spare_ms / 1000));
	SET(CURLOPT_MAXLIFETIME_CONN, (long)(target->age_ms / 1000));
	SET(CURLOPT_CERTINFO, (long)target->certificate);
	if (!target->ca_folder)
		SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S);
	if (target->ca && *target->ca)
		SET(CURLOPT_CAINFO, target->ca);
#undef SET
	return bad;
}

enum status http_prepared_init(struct http_prepared *prepared, const struct http_target *target,
			       const char **why)
{
	struct curl_slist *headers = NULL;
	CURL *easy = curl_easy_init();
	enum status status = easy ? STATUS_OK : STATUS_NOMEM;
	CURLcode bad;

	if (status == STATUS_OK && target->headers)
		status = add_headers(&headers, str_from(target->headers));
	/* Else libcurl asks before it sends a long body, and waits for servers that do not answer. */
	if (status == STATUS_OK)
		status = add_headers(&headers, STR("Expect:"));
	if (status == STATUS_OK) {
		bad = set_options(easy, target, headers);
		*why = curl_easy_strerror(bad);
		status = bad ? STATUS_FAILED : STATUS_OK;
	}
	*prepared = (struct http_prepared){
		.easy = easy,
		.headers = headers,
		.first_ms = target->first_ms,
		.idle_ms = target->idle_ms,
		.unpacks = target->accept_encoding != NULL,
		.tls = strncasecmp(target->url, "https:", 6) == 0,
		.http2 = target->http2,
	};
	if (status)
		http_prepared_clear(prepared);
	return status;
}

void http_prepared_clear(struct http_prepared *prepared)
{
	curl_easy_cleanup(prepared->easy);
	wipe_list(prepared->headers);
	*prepared = (struct http_prepared){ .easy = NULL };
}
