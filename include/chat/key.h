/*
 * API keys. A key is its kind's prefix, 11 digits (base 62) of its workspace, 34 random ones, and 6
 * of a checksum, so that a mistyped or made-up key never reaches the database. Stored only as
 * SHA-256.
 */
#ifndef CHAT_KEY_H
#define CHAT_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

enum key_kind {
	KEY_WIDGET,
	KEY_WORKSPACE,
	KEY_SITE, /* stands in pages: everybody may know it */
	KEY_KINDS
};

/* Kinds as a set: these, or-ed. */
#define KEY_SET(kind) (1u << (kind))

#define KEY_HASH_SIZE 32
#define KEY_TEXT_SIZE 72
#define KEY_TOKEN_SIZE 31

struct key {
	enum key_kind kind;
	int64_t workspace;
	unsigned char hash[KEY_HASH_SIZE];
};

/* Reads a key of that kind. STATUS_INVALID: not a key of ours. */
enum status key_read(enum key_kind kind, struct str text, struct key *out) MUST_CHECK;
/* Reads a key of one of a set of kinds, whose beginning says of which. As key_read(). */
enum status key_read_any(unsigned set, struct str text, struct key *out) MUST_CHECK;
/* A new key of a workspace; its text, which nobody can get again, with NUL into `text`. */
enum status key_new(enum key_kind kind, int64_t workspace, char text[KEY_TEXT_SIZE],
		    struct key *out) MUST_CHECK;
/* "widget", "workspace" or "site", as the database names them. */
struct str key_kind_name(enum key_kind kind);
/* True if the text begins like a key of that kind, whatever comes then. */
bool key_begins(enum key_kind kind, struct str text);
/*
 * A new visitor's token, with NUL: 22 random digits (131 bits) behind what tells it from a key. Nobody
 * reads one: it is known by its hash.
 */
void key_new_token(char text[KEY_TOKEN_SIZE]);
/* A new identity secret, with NUL: 40 random digits (238 bits) behind what it is. */
void key_new_secret(char text[KEY_TEXT_SIZE]);
/* True if a key, a secret or a visitor's token may stand in the text: the beginning of one does. */
bool key_stands_in(struct str text);
/* SHA-256 of any bytes. STATUS_FAILED if the library refuses. */
enum status key_hash(struct str bytes, unsigned char out[KEY_HASH_SIZE]) MUST_CHECK;

#endif
