/* edge/gateway: who takes connections, and what becomes of the listener. */
#include "unit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"
#include "edge/gateway.h"

static int listener(int family)
{
	struct sockaddr at = { .sa_family = (sa_family_t)family };
	int fd = socket(family, SOCK_STREAM, 0);

	/* Of a Unix socket so short an address is any free name, of TCP all zeroes are any port. */
	assert_return_code(bind(fd, &at, family == AF_UNIX ? sizeof(at.sa_family) : sizeof(at)), 0);
	assert_return_code(listen(fd, 8), 0);
	return fd;
}

/* It would be ready without end, and a signal would never come through. */
static void one_that_refuses_all_is_not_watched_any_more(void **state)
{
	static const int families[] = { AF_UNIX, AF_INET };
	struct gateway *gateway = NULL;
	struct wait wait;
	int fd, taken = -1;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		fd = listener(families[i]);
		wait_init(&wait);
		assert_int_equal(gateway_new(fd, false, 0, 0, &gateway), STATUS_OK);
		assert_int_equal(gateway_take(gateway, &taken), STATUS_CLOSED);
		assert_return_code(shutdown(fd, SHUT_RDWR), 0);
		assert_int_equal(gateway_watch(gateway, &wait, CLOCK_NEVER), STATUS_OK);
		assert_int_equal(gateway_take(gateway, &taken), STATUS_CLOSED);
		assert_int_equal(gateway_watch(gateway, &wait, clock_ms() + 5), STATUS_TIMEOUT);
		gateway_free(gateway);
		close(fd);
	}
}

/* Who has no master is not told to end: it is an error. */
static void of_a_process_alone_it_is_a_failure(void **state)
{
	struct gateway *gateway = NULL;
	int fd = listener(AF_UNIX), taken = -1;

	(void)state;
	assert_int_equal(gateway_new(fd, true, 0, 0, &gateway), STATUS_OK);
	assert_return_code(shutdown(fd, SHUT_RDWR), 0);
	assert_int_equal(gateway_take(gateway, &taken), STATUS_FAILED);
	gateway_free(gateway);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_refuses_all_is_not_watched_any_more),
		cmocka_unit_test(of_a_process_alone_it_is_a_failure),
	};

	return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
