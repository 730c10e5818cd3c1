/*
 * chat/key: what is taken for a key of one kind is none of the others, says the workspace that is written in it, and has
 * the checksum that zlib computes; changed in one character, or in its length, it is none. The input is looked at as it
 * is, and as what a key is made of. What else is made to be kept secret is no key, and is known where it stands.
 */
#include "fuzz.h"

#include <openssl/sha.h>
#include <zlib.h>

#include "chat/key.h"

#define WORKSPACE_DIGITS 11
#define RANDOM_DIGITS 34
#define CHECK_DIGITS 6

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char *const prefixes[KEY_KINDS] = {
	[KEY_WIDGET] = "sk-widget_", [KEY_WORKSPACE] = "sk-workspace_", [KEY_SITE] = "pk-site_"
};

static void put_number(uint64_t number, char *out, int count)
{
	while (count--) {
		out[count] = digits[number % 62];
		number /= 62;
	}
}

static uint32_t checksum(struct str text)
{
	return (uint32_t)crc32(0, (const unsigned char *)text.p, (unsigned)text.n);
}

/* In memory of its own size. */
static bool is_key(enum key_kind kind, struct str text)
{
	struct str own = fuzz_copy(text);
	struct key key;
	bool taken = key_read(kind, own, &key) == STATUS_OK;

	fuzz_free(own);
	return taken;
}

/* A key: all that it is not any more once it is changed. */
static void changed(enum key_kind kind, struct str text)
{
	char other[KEY_TEXT_SIZE + 1];
	uint64_t seed = fuzz_seed(text);
	size_t i;

	memcpy(other, text.p, text.n);
	other[text.n] = '0';
	must(!is_key(kind, (struct str){ other, text.n + 1 }));
	must(!is_key(kind, (struct str){ other, text.n - 1 }));
	for (i = 0; i < text.n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		other[i] = digits[(seed >> 33) % 62];
		must(is_key(kind, (struct str){ other, text.n }) == (other[i] == text.p[i]));
		other[i] = text.p[i];
	}
}

/* The checksum, and all before it, written by us. */
static void says_what_is_written(enum key_kind kind, struct str text, const struct key *key)
{
	size_t prefix = strlen(prefixes[kind]), body = text.n - CHECK_DIGITS;
	char again[KEY_TEXT_SIZE];
	unsigned char hash[SHA256_DIGEST_LENGTH];

	must(text.n == prefix + WORKSPACE_DIGITS + RANDOM_DIGITS + CHECK_DIGITS);
	must(text.n < KEY_TEXT_SIZE);
	must(key->kind == kind);
	memcpy(again, text.p, text.n);
	memcpy(again, prefixes[kind], prefix);
	put_number((uint64_t)key->workspace, again + prefix, WORKSPACE_DIGITS);
	put_number(checksum((struct str){ text.p, body }), again + body, CHECK_DIGITS);
	must(memcmp(again, text.p, text.n) == 0);
	SHA256((const unsigned char *)text.p, text.n, hash);
	must(memcmp(hash, key->hash, sizeof(hash)) == 0);
	must(key_stands_in(text));
}

static bool look(enum key_kind kind, struct str text)
{
	struct key key = { .workspace = 77 };
	int other;

	if (key_read(kind, text, &key)) {
		must(key.workspace == 77);
		return false;
	}
	says_what_is_written(kind, text, &key);
	for (other = 0; other < KEY_KINDS; other++) {
		must(is_key((enum key_kind)other, text) == (other == (int)kind));
		must(key_begins((enum key_kind)other, text) == (other == (int)kind));
	}
	changed(kind, text);
	return true;
}

/* Its workspace is the first bytes, its random digits are the next ones. */
static void made_of(enum key_kind kind, const uint8_t *data, size_t size)
{
	char text[KEY_TEXT_SIZE];
	size_t n = strlen(prefixes[kind]), i;
	uint64_t workspace = 0;

	memcpy(text, prefixes[kind], n);
	memcpy(&workspace, data, size < sizeof(workspace) ? size : sizeof(workspace));
	put_number(workspace, text + n, WORKSPACE_DIGITS);
	n += WORKSPACE_DIGITS;
	for (i = 0; i < RANDOM_DIGITS; i++)
		text[n++] = digits[i + 8 < size ? data[i + 8] % 62 : 0];
	put_number(checksum((struct str){ text, n }), text + n, CHECK_DIGITS);
	must(look(kind, (struct str){ text, n + CHECK_DIGITS }));
}

/* The program's own are keys too. */
static void made_anew(enum key_kind kind, const uint8_t *data, size_t size)
{
	char text[KEY_TEXT_SIZE];
	struct key key, again;
	int64_t workspace = 0;

	memcpy(&workspace, data, size < sizeof(workspace) ? size : sizeof(workspace));
	must(key_new(kind, workspace, text, &key) == STATUS_OK);
	must(key_read(kind, str_from(text), &again) == STATUS_OK);
	must(key.workspace == workspace && again.workspace == workspace);
	must(memcmp(key.hash, again.hash, KEY_HASH_SIZE) == 0);
}

static void is_no_key(const char *text)
{
	int kind;

	for (kind = 0; kind < KEY_KINDS; kind++)
		must(!is_key((enum key_kind)kind, str_from(text)));
	must(key_stands_in(str_from(text)));
}

/* A visitor's token, and what signs for one. */
static void others_made_anew(void)
{
	char token[KEY_TOKEN_SIZE], secret[KEY_TEXT_SIZE];

	key_new_token(token);
	is_no_key(token);
	key_new_secret(secret);
	is_no_key(secret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str own = fuzz_copy((struct str){ (const char *)data, size });
	int kind;

	others_made_anew();
	for (kind = 0; kind < KEY_KINDS; kind++) {
		look((enum key_kind)kind, own);
		made_of((enum key_kind)kind, data, size);
		made_anew((enum key_kind)kind, data, size);
	}
	fuzz_free(own);
	return 0;
}
