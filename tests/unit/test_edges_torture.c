/*
 * What of edge/ allocates, and rests on no other process: each call beneath it fails once, and what
 * it had is given back. The database's and the model's way through a whole exchange is
 * tests/torture's.
 */
#include "stub_alloc.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "edge/db.h"
#include "edge/gateway.h"
#include "edge/http_client.h"
#include "edge/http_unpack.h"
#include "edge/queue.h"
#include "edge/settings.h"
#include "edge/settings_file.h"

static int own(void)
{
	int ends[2];

	/* Not what is looked at. */
	int64_t at = torture->fail_at, count = torture->count;

	torture->fail_at = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(ends[1]);
	torture->fail_at = at;
	torture->count = count;
	return ends[0];
}

static void queue_round(bool failing)
{
	struct queue_entry entry = { .fd = own(), .since = 7 };
	struct queue *queue;

	if (queue_new(&queue)) {
		assert_true(failing);
		close(entry.fd);
		return;
	}
	if (queue_put(queue, &entry)) {
		assert_true(failing);
		close(entry.fd);
	} else if (queue_take(queue, &entry) == STATUS_OK) {
		close(entry.fd);
	} else {
		assert_true(failing);
	}
	queue_free(queue);
}

/* Several hosts: all that is kept of a URL. */
static void db_round(bool failing)
{
	static const struct db_target target = {
		.url = "postgresql://u:p@127.0.0.1:1,[::1]:1/x",
		.password = "p",
		.url_file = "",
		.password_file = "",
		.connect_ms = 1000,
	};
	struct db *db = NULL;
	enum status status = db_new(&target, &db);
	int i;

	if (status == STATUS_OK)
		status = db_open(db);
	assert_true(status != STATUS_OK || db);
	assert_true(failing || db);
	db_free(db);
	/* An address that could not be told from a name is looked up beside us. */
	for (i = 0; i < 1000 && torture->alive; i++)
		usleep(10000);
}

static void gateway_round(bool failing)
{
	struct gateway *gateway = NULL;
	int fd = own();

	if (gateway_new(fd, false, 1000, 1000, &gateway))
		assert_true(failing);
	gateway_free(gateway);
	close(fd);
}

static void client_round(bool failing)
{
	static const struct http_target target = {
		.url = "http://127.0.0.1:1/",
		.headers = "A: b\nC: d",
		.agent = "test",
		.connect_ms = 1000,
	};
	struct http_prepared prepared = { .easy = NULL };
	struct http_client *client = NULL;
	const char *why;

	if (http_client_new(&client)) {
		assert_true(failing);
		return;
	}
	if (http_client_prepare(client, &target, &prepared, &why) == STATUS_OK) {
		if (http_client_start(client, &prepared, STR("body"), CLOCK_NEVER, NULL))
			assert_true(failing);
		http_client_stop(client);
		http_prepared_clear(&prepared);
	} else {
		assert_true(failing);
	}
	http_client_free(client);
}

/* "a" by gzip. */
static void unpack_round(bool failing)
{
	static const char packed[] =
		"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0";
	struct http_unpack unpack = { .zlib = NULL };
	struct buf out;

	buf_init(&out, 100000);
	http_unpack_begin(&unpack);
	if (http_unpack_feed(&unpack, (struct str){ packed, sizeof(packed) }, &out))
		assert_true(failing);
	else
		assert_string_equal(buf_text(&out), "a");
	http_unpack_clear(&unpack);
	buf_clear(&out);
}

static void settings_round(bool failing)
{
	struct settings *settings = NULL;
	struct config config;
	struct buf why;

	buf_init(&why, 4096);
	if (settings_new("/dev/null", &settings)) {
		assert_true(failing);
	} else if (settings_override(settings, "BANTER_WORKERS", "3")) {
		assert_true(failing);
	} else if (settings_load(settings, &config, &why) == STATUS_OK) {
		config_clear(&config);
	}
	settings_free(settings);
	buf_clear(&why);
}

static void (*const rounds[])(bool failing) = { queue_round,  db_round,	    gateway_round,
						client_round, unpack_round, settings_round };

static void every_call_fails_once(void **state)
{
	size_t i;

	(void)state;
	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	for (i = 0; i < COUNT(rounds); i++)
		assert_true(alloc_torture(rounds[i]) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_call_fails_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
