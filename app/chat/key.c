/* API keys: their form, their checksum, their hash. */
#include "chat/key.h"

#include <string.h>

#include "base/secret.h"
#include "edge/digest.h"

#define WORKSPACE_DIGITS 11
#define RANDOM_DIGITS 34
#define CHECK_DIGITS 6
#define TOKEN_DIGITS 22
#define TOKEN_PREFIX "vt-site_"
#define SECRET_DIGITS 40
#define SECRET_PREFIX "sk-identity_"
#define BODY_DIGITS (WORKSPACE_DIGITS + RANDOM_DIGITS + CHECK_DIGITS)

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct {
	struct str name, prefix;
} kinds[KEY_KINDS] = {
	[KEY_WIDGET] = { STR("widget"), STR("sk-widget_") },
	[KEY_WORKSPACE] = { STR("workspace"), STR("sk-workspace_") },
	[KEY_SITE] = { STR("site"), STR("pk-site_") },
};

struct str key_kind_name(enum key_kind kind)
{
	return kinds[kind].name;
}

static bool contains(struct str text, struct str part)
{
	return text.n && memmem(text.p, text.n, part.p, part.n);
}

bool key_stands_in(struct str text)
{
	size_t i;

	for (i = 0; i < KEY_KINDS; i++)
		if (contains(text, kinds[i].prefix))
			return true;
	return contains(text, STR(TOKEN_PREFIX)) || contains(text, STR(SECRET_PREFIX));
}

bool key_begins(enum key_kind kind, struct str text)
{
	return str_starts(text, kinds[kind].prefix);
}

enum status key_hash(struct str bytes, unsigned char out[KEY_HASH_SIZE])
{
	_Static_assert(KEY_HASH_SIZE == DIGEST_SHA256_SIZE, "a key's hash is a SHA-256");
	return digest_sha256(bytes, out);
}

/* CRC-32 (IEEE 802.3, reflected): enough against typing errors; it protects nothing else. */
static uint32_t checksum(struct str bytes)
{
	uint32_t crc = 0xffffffff;
	size_t i;
	int bit;

	for (i = 0; i < bytes.n; i++) {
		crc ^= (unsigned char)bytes.p[i];
		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320 & (0 - (crc & 1)));
	}
	return ~crc;
}

static void write_number(uint64_t number, char *out, int count)
{
	while (count--) {
		out[count] = digits[number % 62];
		number /= 62;
	}
}

static enum status read_number(struct str text, uint64_t *out)
{
	unsigned __int128 number = 0;
	const char *at;
	size_t i;

	for (i = 0; i < text.n; i++) {
		at = memchr(digits, text.p[i], 62);
		if (!at)
			return STATUS_INVALID;
		number = number * 62 + (uint64_t)(at - digits);
	}
	if (number > UINT64_MAX)
		return STATUS_INVALID;
	*out = (uint64_t)number;
	return STATUS_OK;
}

enum status key_read(enum key_kind kind, struct str text, struct key *out)
{
	struct str prefix = kinds[kind].prefix, body, whole = text;
	uint64_t workspace, check;
	size_t i;

	if (text.n != prefix.n + BODY_DIGITS || !str_starts(text, prefix))
		return STATUS_INVALID;
	body = str_skip(text, prefix.n);
	for (i = 0; i < body.n; i++)
		if (!memchr(digits, body.p[i], 62))
			return STATUS_INVALID;
	whole.n -= CHECK_DIGITS;
	if (read_number(str_skip(text, whole.n), &check) || check != checksum(whole) ||
	    read_number((struct str){ body.p, WORKSPACE_DIGITS }, &workspace))
		return STATUS_INVALID;
	out->kind = kind;
	out->workspace = (int64_t)workspace;
	return key_hash(text, out->hash);
}

enum status key_read_any(unsigned set, struct str text, struct key *out)
{
	int kind;

	for (kind = 0; kind < KEY_KINDS; kind++)
		if (set & KEY_SET(kind) && key_begins((enum key_kind)kind, text))
			return key_read((enum key_kind)kind, text, out);
	return STATUS_INVALID;
}

/* Digits without bias: bytes of 248 and more are thrown away (248 is 4 times 62). */
static void random_digits(char *out, int count)
{
	unsigned char bytes[64];
	size_t at = sizeof(bytes);

	while (count) {
		if (at == sizeof(bytes)) {
			secret_random(bytes, sizeof(bytes));
			at = 0;
		}
		if (bytes[at] < 248) {
			*out++ = digits[bytes[at] % 62];
			count--;
		}
		at++;
	}
}

enum status key_new(enum key_kind kind, int64_t workspace, char text[KEY_TEXT_SIZE],
		    struct key *out)
{
	struct str prefix = kinds[kind].prefix;
	size_t n = prefix.n + WORKSPACE_DIGITS + RANDOM_DIGITS;

	memcpy(text, prefix.p, prefix.n);
	write_number((uint64_t)workspace, text + prefix.n, WORKSPACE_DIGITS);
	random_digits(text + prefix.n + WORKSPACE_DIGITS, RANDOM_DIGITS);
	write_number(checksum((struct str){ text, n }), text + n, CHECK_DIGITS);
	text[n + CHECK_DIGITS] = '\0';
	return key_read(kind, str_from(text), out);
}

static void write_random(char *text, struct str prefix, int count)
{
	memcpy(text, prefix.p, prefix.n);
	random_digits(text + prefix.n, count);
	text[prefix.n + (size_t)count] = '\0';
}

void key_new_token(char text[KEY_TOKEN_SIZE])
{
	_Static_assert(sizeof(TOKEN_PREFIX) + TOKEN_DIGITS == KEY_TOKEN_SIZE, "a token fits");
	write_random(text, STR(TOKEN_PREFIX), TOKEN_DIGITS);
}

void key_new_secret(char text[KEY_TEXT_SIZE])
{
	_Static_assert(sizeof(SECRET_PREFIX) + SECRET_DIGITS <= KEY_TEXT_SIZE, "a secret fits");
	write_random(text, STR(SECRET_PREFIX), SECRET_DIGITS);
}
