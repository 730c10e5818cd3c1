/*
 * A request and a reply of http/ over a stubbed gateway and a stubbed clock, for test_http_…: what
 * surrounds them is good until a test says otherwise.
 */
#ifndef STUB_HTTP_H
#define STUB_HTTP_H

#include "stub_gateway.h"
#include "stub_time.h"

#include "http/request.h"
#include "wire/config.h"

#define HTTP_ORIGIN_LISTED "https://example.com"

/* G5's, in the order in which every head has them. */
#define HEAD_ID "X-Request-Id: r-1\r\n"
#define HEAD_SAFE                                                                                  \
	"X-Content-Type-Options: nosniff\r\n"                                                      \
	"Referrer-Policy: no-referrer\r\n"
#define HEAD_REST HEAD_ID "Cache-Control: no-store\r\n" HEAD_SAFE
#define HEAD_STREAM                                                                                \
	HEAD_ID "Cache-Control: no-store, no-transform\r\n"                                        \
		"X-Accel-Buffering: no\r\n" HEAD_SAFE

#define HEAD_EXPOSED                                                                               \
	"Access-Control-Expose-Headers: X-Request-Id, Retry-After, X-RateLimit-Limit, "            \
	"X-RateLimit-Remaining, X-RateLimit-Reset"

static inline struct config stub_http_config(void)
{
	return (struct config){
		.database_ms = 4000,
		.exchange_ms = 600000,
		.json_ms = 50000,
		.heartbeat_ms = 15000,
		.lease_ms = 300000,
		.history_messages = 20,
		.history_chars = 24000,
		.body_bytes = 1048576,
		.answer_bytes = 1000,
		.address_window_ms = 60000,
		.allowed_origins = "",
		.trusted_proxies = "",
		.path_prefix = "",
		.model = "gpt-default",
		.model_server_count = 1,
		.model_servers[0] = { .name = "default",
				      .url = "http://model/v1",
				      .key = "",
				      .headers = "",
				      .members = "",
				      .models = "",
				      .ca = "" },
	};
}

/* A request as the web server hands it over; further parameters are the test's. */
static inline void stub_http_request(const char *method, const char *uri, const char *body)
{
	stub_gateway_clear();
	stub_gateway_param("REQUEST_METHOD", method);
	stub_gateway_param("REQUEST_URI", uri);
	stub_gateway_param("REMOTE_ADDR", "192.0.2.7");
	stub_gateway_param("HTTP_X_REQUEST_ID", "r-1");
	stub_gateway.body = str_from(body);
}

#endif
