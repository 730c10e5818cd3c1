/* Digests: all of libcrypto, but for what edge/http_rehearsal plays. */
#ifndef EDGE_DIGEST_H
#define EDGE_DIGEST_H

#include "base/status.h"
#include "base/str.h"

#define DIGEST_SHA256_SIZE 32

/* SHA-256 of any bytes. STATUS_FAILED if the library refuses. */
enum status digest_sha256(struct str bytes, unsigned char out[DIGEST_SHA256_SIZE]) MUST_CHECK;

#endif
