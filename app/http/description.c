/*
 * The API's description, openapi.json beside this file: it is part of the program, and served as it
 * stands there.
 */
#include "http/description.h"

#include <stdint.h>
#include <stdio.h>

#include "edge/digest.h"
#include "http/serve.h"

/* Of the hash in the tag: enough that no two versions have the same. */
#define TAG_BYTES 16
#define TAG_SIZE (2 * TAG_BYTES + sizeof("\"\""))

extern const char description_text[];
extern const uint32_t description_size;

__asm__(".pushsection .rodata\n"
	".global description_text, description_size\n"
	"description_text:\n"
	".incbin \"app/http/openapi.json\"\n"
	"1:\n"
	".balign 4\n"
	"description_size:\n"
	".4byte 1b - description_text\n"
	".popsection\n");

static enum status make_tag(struct str text, char out[TAG_SIZE])
{
	unsigned char hash[DIGEST_SHA256_SIZE];
	enum status status = digest_sha256(text, hash);
	size_t i, at = 0;

	if (status)
		return status;
	out[at++] = '"';
	for (i = 0; i < TAG_BYTES; i++)
		at += (size_t)snprintf(out + at, 3, "%02x", hash[i]);
	out[at++] = '"';
	out[at] = '\0';
	return STATUS_OK;
}

void description_serve(struct http_context *context, struct request *request, struct reply *reply,
		       const struct route_match *match)
{
	struct str text = { description_text, description_size };
	static char tag[TAG_SIZE]; /* of what never changes; "" until it is made */

	(void)request;
	(void)match;
	reply->any_origin = true;
	if (!*tag && make_tag(text, tag)) {
		context->log.cause = "its tag cannot be made";
		reply_error(reply, ERROR_INTERNAL);
		return;
	}
	reply_send(reply,
		   &(struct reply_head){ .status = 200,
					 .type = "application/json",
					 .cache = CACHE_REVALIDATE,
					 .etag = tag },
		   text);
}
