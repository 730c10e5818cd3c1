/*
 * SHA-256 is OpenSSL's.  Not for anything keyed, nor for randomness (base/secret).
 *
 * By the functions that do nothing else, which OpenSSL 3.0 calls deprecated: EVP looks for a provider
 * each time, in 19 pages of its code, tables and locks, and each process pays for what it touches.
 */
#define OPENSSL_API_COMPAT 10100
#include "edge/digest.h"

#include <openssl/sha.h>

enum status digest_sha256(struct str bytes, unsigned char out[DIGEST_SHA256_SIZE])
{
	SHA256_CTX context;

	if (!SHA256_Init(&context) || !SHA256_Update(&context, bytes.p, bytes.n) ||
	    !SHA256_Final(out, &context))
		return STATUS_FAILED;
	return STATUS_OK;
}
