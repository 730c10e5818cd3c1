/* Random numbers, ids, and keeping secrets out of sight.  Rests on getrandom(2) and prctl(2). */
#include "base/secret.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sanitizer.h"

void secret_random(void *out, size_t n)
{
	unsigned char *at = out;
	ssize_t got;

	while (n) {
		got = getrandom(at, n, 0);
		if (got < 0) {
			if (errno == EINTR)
				continue;
			log_error("the kernel gives no random numbers: %s", strerror(errno));
			abort();
		}
		at += got;
		n -= (size_t)got;
	}
}

void secret_new_ids(char *const ids[], size_t count)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint64_t time = (uint64_t)clock_wall_ms();
	unsigned char random[SECRET_IDS][16];
	size_t id;
	int i;

	secret_random(random, count * sizeof(random[0]));
	for (id = 0; id < count; id++) {
		for (i = 0; i < 10; i++)
			ids[id][i] = digits[time >> (45 - 5 * i) & 31];
		for (i = 0; i < 16; i++)
			ids[id][10 + i] = digits[random[id][i] & 31];
		ids[id][26] = '\0';
	}
}

void secret_new_id(char out[SECRET_ID_SIZE])
{
	secret_new_ids(&out, 1);
}

void secret_scrub_env(const char *name)
{
	char *value = getenv(name);

	if (!value)
		return;
	explicit_bzero(value, strlen(value));
	unsetenv(name);
}

void secret_protect_memory(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	/* A core_pattern pipe ignores the limit, so the flag too. */
	if (!SANITIZER)
		prctl(PR_SET_DUMPABLE, 0);
}
