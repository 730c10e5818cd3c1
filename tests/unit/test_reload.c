/* pool/reload: what who asked for a reload hears, and when. */
#include "unit_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "pool/pool_internal.h"
#include "pool/reload.h"

struct asked {
	struct config config;
	struct upgrade upgrade;
	struct pool pool;
	int fd;	     /* who asked */
	int manager; /* the service manager's socket */
};

static void be_managed(struct asked *asked)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char name[32];
	int n = snprintf(name, sizeof(name), "@banter-reload-%d", (int)getpid());

	memcpy(at.sun_path + 1, name + 1, (size_t)n - 1);
	asked->manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(asked->manager, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void ask(struct asked *asked)
{
	int ends[2];

	be_managed(asked);
	must_init(&asked->config);
	asked->upgrade = (struct upgrade){ .fd = -1 };
	asked->pool = (struct pool){ .config = &asked->config, .upgrade = &asked->upgrade };
	asked->pool.children.master.plan =
		(struct master_plan){ .wanted = { [CHILD_WORKER] = 2 }, .most = 2 };
	buf_init(&asked->pool.fixed, 64);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	asked->fd = ends[0];
	asked->pool.askers = (struct askers){ .listen_fd = -1, .all = { ends[1] }, .count = 1 };
}

static void hears(int fd, const char *text)
{
	char some[256] = "";

	assert_int_equal(recv(fd, some, sizeof(some) - 1, MSG_DONTWAIT), strlen(text));
	assert_string_equal(some, text);
}

static void hears_nothing(int fd)
{
	char some;

	assert_int_equal(recv(fd, &some, 1, MSG_DONTWAIT), -1);
}

static void end(struct asked *asked)
{
	unsetenv("NOTIFY_SOCKET");
	close(asked->manager);
	close(asked->fd);
	buf_clear(&asked->pool.fixed);
	config_clear(&asked->config);
}

static void who_asked_hears_that_it_is_done(void **state)
{
	struct asked asked;

	(void)state;
	ask(&asked);
	reload_done(&asked.pool);
	hears(asked.fd, "0the settings are loaded again; workers: 2");
	hears(asked.manager, "READY=1");
	end(&asked);
}

/* The pool's start, or the reload before, ends while the new program starts. */
static void who_asked_for_an_upgrade_hears_what_became_of_that(void **state)
{
	struct asked asked;

	(void)state;
	ask(&asked);
	asked.upgrade.fd = asked.fd;
	reload_done(&asked.pool);
	assert_int_equal(asked.pool.askers.count, 1);
	hears_nothing(asked.fd);
	hears_nothing(asked.manager);
	askers_tell(&asked.pool.askers, CONTROL_FAILED, "it cannot start");
	hears(asked.fd, "1it cannot start");
	end(&asked);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asked_hears_that_it_is_done),
		cmocka_unit_test(who_asked_for_an_upgrade_hears_what_became_of_that),
	};

	return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
