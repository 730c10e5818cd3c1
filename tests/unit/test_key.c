/* chat/key: the form, the checksum, the workspace inside, and that no two are equal. */
#include "unit.h"

#include "chat/key.h"

#define DIGITS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define RANDOM "abcdefghijklmnopqrstuvwxyzABCDEFGH"
#define WORKSPACE_KEY "sk-workspace_1TCKi1nFuNh" RANDOM "3idSMV"
#define WIDGET_KEY "sk-widget_1TCKi1nFuNh" RANDOM "2tLnGy"

static bool refused(enum key_kind kind, struct str text)
{
	struct key key = { .workspace = 77 };
	enum status status = key_read(kind, text, &key);

	if (status == STATUS_OK)
		return false;
	assert_int_equal(status, STATUS_INVALID);
	assert_int_equal(key.workspace, 77);
	return true;
}

static void assert_hash(const unsigned char *hash, const char *hex)
{
	char text[2 * KEY_HASH_SIZE + 1];
	size_t i;

	for (i = 0; i < KEY_HASH_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	assert_string_equal(text, hex);
}

/* Made once, sums and hashes worked out by other programs: keys given out must go on working. */
static void keys_of_old_are_read(void **state)
{
	struct key key;

	(void)state;
	assert_int_equal(key_read(KEY_WORKSPACE, STR(WORKSPACE_KEY), &key), STATUS_OK);
	assert_int_equal(key.kind, KEY_WORKSPACE);
	assert_int_equal(key.workspace, 1234567890123456789);
	assert_hash(key.hash, "e71428eba1f4deb0b4bd990fb391c74d6eb2997d5ac266d5cf40c61d26be0842");
	assert_int_equal(key_read(KEY_WIDGET, STR(WIDGET_KEY), &key), STATUS_OK);
	assert_int_equal(key.kind, KEY_WIDGET);
	assert_int_equal(key.workspace, 1234567890123456789);
	assert_hash(key.hash, "f37073509898ca02c0f91af4175e3b00d97a6ee58569e776fa6e3f175d8b3f26");
}

static void every_change_is_refused(struct str good, enum key_kind kind)
{
	char text[KEY_TEXT_SIZE];
	size_t i;
	int c;

	assert_true(good.n < sizeof(text));
	for (i = 0; i < good.n; i++) {
		memcpy(text, good.p, good.n);
		for (c = 0; c < 256; c++) {
			text[i] = (char)c;
			assert_int_equal(refused(kind, (struct str){ text, good.n }),
					 text[i] != good.p[i]);
		}
	}
	for (i = 0; i + 1 < good.n; i++) {
		memcpy(text, good.p, good.n);
		text[i] = good.p[i + 1];
		text[i + 1] = good.p[i];
		assert_int_equal(refused(kind, (struct str){ text, good.n }), text[i] != good.p[i]);
	}
}

static void a_mistyped_key_is_refused(void **state)
{
	(void)state;
	every_change_is_refused(STR(WORKSPACE_KEY), KEY_WORKSPACE);
	every_change_is_refused(STR(WIDGET_KEY), KEY_WIDGET);
}

static void a_key_of_another_length_is_refused(void **state)
{
	char *cut;
	size_t n;

	(void)state;
	assert_true(refused(KEY_WORKSPACE, STR_NONE));
	/* Each in memory of its own size, so that a reader beyond it is seen. */
	for (n = 0; n < sizeof(WORKSPACE_KEY) - 1; n++) {
		cut = malloc(n ? n : 1);
		assert_non_null(cut);
		memcpy(cut, WORKSPACE_KEY, n);
		assert_true(refused(KEY_WORKSPACE, (struct str){ cut, n }));
		free(cut);
	}
	assert_true(refused(KEY_WORKSPACE, STR(WORKSPACE_KEY "0")));
	assert_true(refused(KEY_WORKSPACE, STR(WORKSPACE_KEY "\0")));
	assert_true(refused(KEY_WORKSPACE, STR(" " WORKSPACE_KEY)));
}

static void a_key_of_the_other_kind_is_refused(void **state)
{
	(void)state;
	assert_true(refused(KEY_WIDGET, STR(WORKSPACE_KEY)));
	assert_true(refused(KEY_WORKSPACE, STR(WIDGET_KEY)));
	assert_str(key_kind_name(KEY_WIDGET), "widget");
	assert_str(key_kind_name(KEY_WORKSPACE), "workspace");
	assert_str(key_kind_name(KEY_SITE), "site");
}

/* Checksums that are right, numbers that are too big for 64 bits. */
static void a_workspace_beyond_64_bits_is_refused(void **state)
{
	struct key key;

	(void)state;
	assert_int_equal(
		key_read(KEY_WORKSPACE, STR("sk-workspace_LygHa16AHYF" RANDOM "1uADSJ"), &key),
		STATUS_OK);
	assert_int_equal(key.workspace, -1);
	assert_int_equal(
		key_read(KEY_WORKSPACE, STR("sk-workspace_AzL8n0Y58m8" RANDOM "10eZ6o"), &key),
		STATUS_OK);
	assert_int_equal(key.workspace, INT64_MIN);
	assert_true(refused(KEY_WORKSPACE, STR("sk-workspace_LygHa16AHYG" RANDOM "34EeiV")));
	assert_true(refused(KEY_WORKSPACE, STR("sk-workspace_zzzzzzzzzzz" RANDOM "0DQhi6")));
}

static void assert_form(enum key_kind kind, const char *text)
{
	static const struct str prefixes[] = { [KEY_WIDGET] = STR("sk-widget_"),
					       [KEY_WORKSPACE] = STR("sk-workspace_"),
					       [KEY_SITE] = STR("pk-site_") };
	struct str prefix = prefixes[kind], whole = str_from(text);

	assert_true(str_starts(whole, prefix));
	assert_int_equal(whole.n, prefix.n + 11 + 34 + 6);
	assert_int_equal(strspn(text + prefix.n, DIGITS), 11 + 34 + 6);
}

static void a_new_key_reads_back(void **state)
{
	static const int64_t workspaces[] = { 0,  1,	     -1,	61,
					      62, INT64_MAX, INT64_MIN, 4611686018427387904 };
	static const enum key_kind kinds[] = { KEY_WIDGET, KEY_WORKSPACE, KEY_SITE };
	unsigned char hash[KEY_HASH_SIZE];
	struct key made, read;
	char text[KEY_TEXT_SIZE];
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(workspaces); i++) {
		for (k = 0; k < COUNT(kinds); k++) {
			assert_int_equal(key_new(kinds[k], workspaces[i], text, &made), STATUS_OK);
			assert_form(kinds[k], text);
			assert_int_equal(key_read(kinds[k], str_from(text), &read), STATUS_OK);
			assert_int_equal(read.kind, kinds[k]);
			assert_int_equal(made.kind, kinds[k]);
			assert_int_equal(read.workspace, workspaces[i]);
			assert_int_equal(made.workspace, workspaces[i]);
			assert_int_equal(key_hash(str_from(text), hash), STATUS_OK);
			assert_memory_equal(hash, read.hash, sizeof(hash));
			assert_memory_equal(hash, made.hash, sizeof(hash));
		}
	}
}

static void a_key_of_a_set_is_known_by_its_beginning(void **state)
{
	static const unsigned two = KEY_SET(KEY_WIDGET) | KEY_SET(KEY_SITE);
	char text[KEY_TEXT_SIZE];
	struct key made, read;
	int kind;

	(void)state;
	for (kind = 0; kind < KEY_KINDS; kind++) {
		assert_int_equal(key_new((enum key_kind)kind, 7, text, &made), STATUS_OK);
		assert_int_equal(key_read_any(two, str_from(text), &read),
				 two & KEY_SET(kind) ? STATUS_OK : STATUS_INVALID);
		if (two & KEY_SET(kind))
			assert_int_equal(read.kind, kind);
		text[strlen(text) - 1] ^= 1;
		assert_int_equal(key_read_any(two, str_from(text), &read), STATUS_INVALID);
	}
	assert_int_equal(key_read_any(two, STR_NONE, &read), STATUS_INVALID);
}

static void a_token_is_no_key_and_is_seen_like_one(void **state)
{
	char text[KEY_TOKEN_SIZE], other[KEY_TOKEN_SIZE];

	(void)state;
	key_new_token(text);
	key_new_token(other);
	assert_string_not_equal(text, other);
	assert_int_equal(strlen(text), KEY_TOKEN_SIZE - 1);
	assert_int_equal(strspn(text + strlen("vt-site_"), DIGITS), 22);
	assert_true(key_stands_in(str_from(text)));
	assert_true(refused(KEY_SITE, str_from(text)));
	assert_false(key_begins(KEY_SITE, str_from(text)));
	assert_true(key_begins(KEY_SITE, STR("pk-site_")));
	assert_true(key_stands_in(STR("x/pk-site_x")));
}

static void no_two_keys_are_equal(void **state)
{
	static const size_t from = sizeof("sk-widget_") - 1 + 11;
	char texts[200][KEY_TEXT_SIZE];
	bool seen[34][256] = { { false } };
	size_t i, j, digit;
	struct key key;
	int kinds;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		assert_int_equal(key_new(KEY_WIDGET, 5, texts[i], &key), STATUS_OK);
		for (j = 0; j < i; j++)
			assert_memory_not_equal(texts[i] + from, texts[j] + from, 34);
		for (j = 0; j < 34; j++)
			seen[j][(unsigned char)texts[i][from + j]] = true;
	}
	/* No place always holds the same few digits. */
	for (j = 0; j < 34; j++) {
		for (kinds = 0, digit = 0; digit < 256; digit++)
			kinds += seen[j][digit];
		assert_in_range(kinds, 20, 62);
	}
}

static void the_hash_is_sha_256(void **state)
{
	unsigned char hash[KEY_HASH_SIZE];

	(void)state;
	assert_int_equal(key_hash(STR(""), hash), STATUS_OK);
	assert_hash(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(key_hash(STR_NONE, hash), STATUS_OK);
	assert_hash(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(key_hash(STR("abc"), hash), STATUS_OK);
	assert_hash(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_old_are_read),
		cmocka_unit_test(a_mistyped_key_is_refused),
		cmocka_unit_test(a_key_of_another_length_is_refused),
		cmocka_unit_test(a_key_of_the_other_kind_is_refused),
		cmocka_unit_test(a_workspace_beyond_64_bits_is_refused),
		cmocka_unit_test(a_new_key_reads_back),
		cmocka_unit_test(a_key_of_a_set_is_known_by_its_beginning),
		cmocka_unit_test(a_token_is_no_key_and_is_seen_like_one),
		cmocka_unit_test(no_two_keys_are_equal),
		cmocka_unit_test(the_hash_is_sha_256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
