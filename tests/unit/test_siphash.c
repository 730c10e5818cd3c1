/* base/siphash against the reference. */
#include "unit.h"

#include "base/siphash.h"

/* The reference's vectors: key 00 … 0f, message 00, 01, … */
static void hash_is_siphash(void **state)
{
	static const struct {
		size_t n;
		unsigned char expected[16];
	} vectors[] = {
		{ 0,
		  { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
		    0x55, 0x02, 0x93 } },
		{ 1,
		  { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
		    0x22, 0xfc, 0x45 } },
		{ 8,
		  { 0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61, 0x0f, 0x83, 0xe2, 0x64, 0xf3,
		    0x14, 0x97, 0xb4 } },
		{ 15,
		  { 0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97,
		    0xcf, 0xc3, 0xd9 } },
	};
	unsigned char key_bytes[16], message[16];
	struct siphash hash;
	uint64_t key[2];
	size_t i;

	(void)state;
	for (i = 0; i < 16; i++)
		key_bytes[i] = message[i] = (unsigned char)i;
	memcpy(key, key_bytes, sizeof(key));
	for (i = 0; i < COUNT(vectors); i++) {
		hash = siphash_of(key, (struct str){ (const char *)message, vectors[i].n });
		assert_memory_equal(&hash.low, vectors[i].expected, 8);
		assert_memory_equal(&hash.high, vectors[i].expected + 8, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_is_siphash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
