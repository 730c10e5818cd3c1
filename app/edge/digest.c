/* SHA-256 is OpenSSL's.  Not for anything keyed, nor for randomness (base/secret). */
#include "edge/digest.h"

#include <openssl/evp.h>

enum status digest_sha256(struct str bytes, unsigned char out[DIGEST_SHA256_SIZE])
{
	if (!EVP_Digest(bytes.p, bytes.n, out, NULL, EVP_sha256(), NULL))
		return STATUS_FAILED;
	return STATUS_OK;
}

enum status digest_warm(void)
{
	unsigned char unused[DIGEST_SHA256_SIZE];

	return digest_sha256(STR(""), unused);
}
