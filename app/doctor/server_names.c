/* Web servers and their words. The files of deploy/ are the whole of it. */
#include "doctor/server_names.h"

#include <string.h>

#include "base/count.h"

static const struct server_advice servers[] = {
	{ "nginx",
	  "nginx: remove \"fastcgi_ignore_headers X-Accel-Buffering\", or: fastcgi_buffering off; "
	  "(behind proxy_pass: proxy_buffering off;)",
	  "nginx: fastcgi_param HTTP_AUTHORIZATION $http_authorization;",
	  "nginx: client_max_body_size 2m;",
	  "nginx: gzip off; in Banter's location, or gzip_types without application/x-ndjson and "
	  "text/event-stream" },
	{ "Apache",
	  "Apache: FcgidOutputBufferSize 0 (mod_fcgid), or flushpackets=on (mod_proxy_fcgi)",
	  "Apache: FcgidPassHeader Authorization (mod_fcgid), or CGIPassAuth On (mod_proxy_fcgi)",
	  "Apache: FcgidMaxRequestLen 2097152 (mod_fcgid), LimitRequestBody 2097152",
	  "Apache: SetEnv no-gzip 1, and no-brotli 1, for Banter's location" },
	{ "lighttpd", "lighttpd: server.stream-response-body = 2",
	  "lighttpd: it passes Authorization itself: is mod_auth on for this path?",
	  "lighttpd: server.max-request-size = 2048",
	  "lighttpd: deflate.mimetypes without application/x-ndjson and text/event-stream" },
	{ "Caddy", "Caddy: flush_interval -1 in reverse_proxy",
	  "Caddy: no header_up -Authorization in reverse_proxy",
	  "Caddy: request_body { max_size 2MiB }", "Caddy: no encode for Banter's paths" },
	{ "h2o", "h2o: no proxy with buffering in front of fastcgi.connect",
	  "h2o: no header.unset of Authorization", "h2o: limit-request-body: 2097152",
	  "h2o: compress: OFF for Banter's paths" },
	{ "LiteSpeed", "LiteSpeed: Response Buffering: No, in the external application",
	  "LiteSpeed: pass the Authorization header to the external application",
	  "LiteSpeed: Max Request Body Size: 2M",
	  "LiteSpeed: no compression for application/x-ndjson and text/event-stream" },
};

static const struct server_advice unknown = {
	"",
	"switch off response buffering for Banter in the web server and in every proxy in front of "
	"it",
	"let the web server and every proxy pass the Authorization header",
	"let the web server and every proxy pass bodies of 1 MiB and more",
	"switch off compression for Banter's replies",
};

const struct server_advice *server_names_advice(const struct probe *probe)
{
	struct str server = probe_header(probe, "Server"), via = probe_header(probe, "Via");
	struct str name;
	size_t i;

	for (i = 0; i < COUNT(servers); i++) {
		name = str_from(servers[i].name);
		if (str_holds(server, name) || str_holds(via, name))
			return &servers[i];
	}
	return &unknown;
}
