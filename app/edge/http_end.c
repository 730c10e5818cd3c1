/* libcurl's codes, and the numbers OpenSSL has for a certificate's faults. */
#include "edge/http_end.h"

#include <curl/curl.h>
#include <string.h>
#include <time.h>

/* The numbers are those of OpenSSL's X509_V_ERR_…, which libcurl hands on. */
static enum http_end certificate_fault(CURL *easy)
{
	long why = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &why);
	switch (why) {
	case 0:
	case 1: /* it had not been looked at yet */
	case 62:
		return HTTP_END_WRONG_NAME;
	case 9:
		return HTTP_END_NOT_YET;
	case 10:
		return HTTP_END_EXPIRED;
	default:
		return HTTP_END_UNKNOWN_CA;
	}
}

enum http_end http_end_of(void *easy, int code)
{
	switch (code) {
	case CURLE_OK:
		return HTTP_END_WHOLE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_END_NO_HOST;
	case CURLE_COULDNT_CONNECT:
		return HTTP_END_REFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_END_LATE;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_END_NOT_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
		return certificate_fault(easy);
	case CURLE_SSL_CACERT_BADFILE:
		return HTTP_END_BAD_CA;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return HTTP_END_CUT;
	default:
		return HTTP_END_OTHER;
	}
}

/* "Expire date:Nov 21 12:00:00 2026 GMT", of the host's own certificate, which comes first. */
int64_t http_end_certificate(void *easy)
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
