/* edge/resolve: answers come without waiting, and who gives up leaves nothing. */
#include "unit.h"

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "edge/resolve.h"

/* In place of a name server: `silent` has no answer until the test says so. */
static pthread_mutex_t silence = PTHREAD_MUTEX_INITIALIZER;

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
		struct addrinfo **out)
{
	static const struct sockaddr_in address = { .sin_family = AF_INET };
	struct addrinfo *found;
	bool numeric = hints && hints->ai_flags & AI_NUMERICHOST;

	(void)port;
	if (numeric && strcmp(name, "0.0.0.0") != 0)
		return EAI_NONAME;
	if (strcmp(name, "silent") == 0) {
		pthread_mutex_lock(&silence);
		pthread_mutex_unlock(&silence);
	}
	if (strcmp(name, "none") == 0)
		return EAI_NONAME;
	found = calloc(1, sizeof(*found) + sizeof(address));
	if (!found)
		return EAI_MEMORY;
	found->ai_addr = (struct sockaddr *)(void *)(found + 1);
	found->ai_addrlen = sizeof(address);
	memcpy(found->ai_addr, &address, sizeof(address));
	*out = found;
	return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
	free(found);
}

static void await(struct resolve *resolve)
{
	struct pollfd fd = { .fd = resolve_fd(resolve), .events = POLLIN };

	assert_int_equal(poll(&fd, 1, 60000), 1);
}

static void an_address_is_no_name(void **state)
{
	(void)state;
	assert_true(resolve_is_address("0.0.0.0"));
	assert_false(resolve_is_address("name"));
}

static void each_name_has_its_answer(void **state)
{
	static const char *const names[] = { "good", "none" };
	struct resolve_found found[2];
	struct resolve *resolve;

	(void)state;
	assert_int_equal(resolve_start(names, 2, &resolve), STATUS_OK);
	assert_int_equal(resolve_count(resolve), 2);
	while (resolve_pending(resolve))
		await(resolve);
	assert_true(resolve_take(resolve, 0, &found[0]));
	assert_true(resolve_take(resolve, 1, &found[1]));
	assert_false(resolve_take(resolve, 0, &found[0]));
	assert_int_equal(found[0].count, 1);
	assert_string_equal(found[0].addresses[0], "0.0.0.0");
	assert_int_equal(found[1].count, 0);
	assert_string_equal(found[1].why, gai_strerror(EAI_NONAME));
	resolve_stop(resolve);
	resolve_stop(NULL);
}

static void one_that_has_none_keeps_nobody(void **state)
{
	static const char *const names[] = { "silent", "good" };
	struct resolve_found found;
	struct resolve *resolve;

	(void)state;
	pthread_mutex_lock(&silence);
	assert_int_equal(resolve_start(names, 2, &resolve), STATUS_OK);
	do
		await(resolve);
	while (!resolve_take(resolve, 1, &found));
	assert_int_equal(found.count, 1);
	assert_int_equal(resolve_pending(resolve), 1);
	assert_false(resolve_take(resolve, 0, &found));
	resolve_stop(resolve); /* its thread frees the rest, whenever that is */
	pthread_mutex_unlock(&silence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_no_name),
		cmocka_unit_test(each_name_has_its_answer),
		cmocka_unit_test(one_that_has_none_keeps_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
