/* edge/db_places and edge/db_attempts: which hosts libpq would try, and in which order we do. */
#include "unit.h"

#include "stub_time.h"

#include "edge/db_attempts.h"

static struct db_places places;
static struct db_attempts attempts;

static int set_up(void **state)
{
	(void)state;
	clearenv();
	stub_time.now = STUB_TIME_START;
	db_attempts_forget(&attempts);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	db_places_clear(&places);
	return 0;
}

static void read_url(const char *url)
{
	db_places_clear(&places);
	assert_int_equal(db_places_read(url, &places), STATUS_OK);
}

/* "HOST/ADDRESS/PORT ", a `-` for what is libpq's own, a `*` behind a host that must be resolved. */
static const char *said(void)
{
	static char text[1024];
	size_t n = 0;
	int i;

	for (i = 0; i < places.count; i++) {
		const struct db_place *place = &places.all[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s/%s/%s ",
				      place->host ? place->host : "-", place->named ? "*" : "",
				      place->address ? place->address : "-",
				      place->port ? place->port : "-");
	}
	return text;
}

static void lists_are_taken_apart_as_libpq_does(void **state)
{
	static const struct {
		const char *url, *said;
	} rows[] = {
		{ "", "-/-/- " },
		{ "name", "-/-/- " },
		{ "postgresql:///x", "-/-/- " },
		{ "postgresql://a,b:7/x", "a*/-/5432 b*/-/7 " },
		{ "host=a,b port=,7", "a*/-/5432 b*/-/7 " },
		{ "host=a,,b", "-/-/- " },
		{ "host=a,/tmp hostaddr=127.0.0.1,", "-/-/- " },
		{ "host=a,b hostaddr=127.0.0.1,", "a/127.0.0.1/5432 b*/-/5432 " },
		{ "host=,b hostaddr=127.0.0.1,::1", "127.0.0.1/127.0.0.1/5432 b/::1/5432 " },
		{ "postgresql://a:1,b:2/x", "a*/-/1 b*/-/2 " },
		{ "host=a,b,c port=7", "a*/-/7 b*/-/7 c*/-/7 " },
		{ "host=a hostaddr=127.0.0.1", "a/127.0.0.1/5432 " },
		{ "hostaddr=127.0.0.1,::1", "127.0.0.1/127.0.0.1/5432 ::1/::1/5432 " },
		{ "host=127.0.0.1", "127.0.0.1/127.0.0.1/5432 " },
		{ "postgresql://[::1]:5/x", "::1/::1/5 " },
		{ "host=/tmp,@name", "/tmp/-/5432 @name/-/5432 " },
		{ "host=a,/tmp,127.0.0.1 port=1,,3", "a*/-/1 /tmp/-/5432 127.0.0.1/127.0.0.1/3 " },
		/* What does not fit together is for libpq to say. */
		{ "host=a,b hostaddr=127.0.0.1", "-/-/- " },
		{ "host=a,b port=1,2,3", "-/-/- " },
		{ "host=", "-/-/- " },
		{ "nonsense=1", "-/-/- " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		read_url(rows[i].url);
		assert_string_equal(said(), rows[i].said);
	}
}

static void the_environment_counts_where_the_url_is_silent(void **state)
{
	(void)state;
	setenv("PGHOST", "one,two", 1);
	setenv("PGPORT", "7", 1);
	read_url("");
	assert_string_equal(said(), "one*/-/7 two*/-/7 ");
	read_url("host=three");
	assert_string_equal(said(), "three*/-/7 ");
}

static void what_the_url_says_of_the_connection(void **state)
{
	(void)state;
	read_url("host=a");
	assert_false(places.keepalives || places.user_timeout || places.standby_first);
	read_url("host=a keepalives=0");
	assert_true(places.keepalives);
	read_url("host=a keepalives_idle=7 tcp_user_timeout=0 target_session_attrs=prefer-standby");
	assert_true(places.keepalives && places.user_timeout && places.standby_first);
}

/* "ADDRESS[=SESSION] " of each, a host where there is none. */
static const char *order(void)
{
	static char text[1024];
	size_t n = 0;
	int i;

	db_attempts_list(&attempts, &places);
	*text = '\0';
	for (i = 0; i < attempts.count; i++) {
		const struct db_attempt *attempt = &attempts.all[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s ",
				      *attempt->address ? attempt->address : attempt->place->host,
				      attempt->session ? "=" : "",
				      attempt->session ? attempt->session : "");
	}
	return text;
}

static void gives(int place, const char *first, const char *second)
{
	struct resolve_found *kept = &places.all[place].kept;

	snprintf(kept->addresses[0], RESOLVE_SIZE, "%s", first);
	snprintf(kept->addresses[1], RESOLVE_SIZE, "%s", second);
	kept->count = *second ? 2 : 1;
	places.all[place].kept_at = stub_time.now;
}

static void a_name_is_as_many_attempts_as_it_has_addresses(void **state)
{
	(void)state;
	read_url("host=a,/tmp,b");
	assert_string_equal(order(), "/tmp ");
	gives(0, "10.0.0.1", "10.0.0.2");
	gives(2, "10.0.0.3", "");
	assert_string_equal(order(), "10.0.0.1 10.0.0.2 /tmp 10.0.0.3 ");
	stub_time.now += 3600 * 1000 - 1;
	assert_string_equal(order(), "10.0.0.1 10.0.0.2 /tmp 10.0.0.3 ");
	stub_time.now += 1;
	assert_string_equal(order(), "/tmp "); /* kept for a while, not for ever */
}

static void who_said_nothing_comes_last_for_a_minute(void **state)
{
	(void)state;
	read_url("host=a,/tmp,/run");
	gives(0, "10.0.0.1", "10.0.0.2");
	assert_string_equal(order(), "10.0.0.1 10.0.0.2 /tmp /run ");
	attempts.at = 1;
	db_attempts_silent(&attempts);
	attempts.at = 3;
	db_attempts_silent(&attempts);
	assert_string_equal(order(), "10.0.0.2 /run 10.0.0.1 /tmp ");
	stub_time.now += 60000;
	assert_string_equal(order(), "10.0.0.1 10.0.0.2 /tmp /run ");
}

static void who_is_remembered_as_silent_has_an_end(void **state)
{
	int i;

	(void)state;
	read_url("host=/a,/b,/c,/d,/e,/f,/g,/h,/i,/j");
	order();
	for (i = 1; i <= 10; i++) {
		attempts.at = i;
		stub_time.now++;
		db_attempts_silent(&attempts);
	}
	assert_string_equal(order(),
			    "/a /b /c /d /e /f /g /h /i /j "); /* the first two are forgotten */
	attempts.at = 1;
	db_attempts_silent(&attempts);
	assert_string_equal(order(), "/b /c /a /d /e /f /g /h /i /j ");
}

static void prefer_standby_asks_all_for_one_first(void **state)
{
	(void)state;
	read_url("host=/a,/b target_session_attrs=prefer-standby");
	assert_string_equal(order(), "/a=standby /b=standby /a=any /b=any ");
}

static void a_shuffled_list_is_whole(void **state)
{
	int i, first = 0;

	(void)state;
	read_url("host=/a,/b");
	places.shuffled = true;
	for (i = 0; i < 64; i++) {
		stub_time.now += 7919;
		first += strcmp(order(), "/a /b ") == 0;
		assert_int_equal(attempts.count, 2);
	}
	assert_in_range(first, 1, 63);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_are_taken_apart_as_libpq_does),
		TEST(the_environment_counts_where_the_url_is_silent),
		TEST(what_the_url_says_of_the_connection),
		TEST(a_name_is_as_many_attempts_as_it_has_addresses),
		TEST(who_said_nothing_comes_last_for_a_minute),
		TEST(who_is_remembered_as_silent_has_an_end),
		TEST(prefer_standby_asks_all_for_one_first),
		TEST(a_shuffled_list_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
