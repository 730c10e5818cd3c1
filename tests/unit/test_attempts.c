/* chat/attempts: what follows which failure, over tables. */
#include "unit.h"

#include "base/log.h"
#include "chat/attempts.h"

#define SERVER(called, has)                                                                        \
	{                                                                                          \
		.name = (called), .models = (has), .first_ms = 60000                               \
	}

static const struct config config = {
	.model = "m",
	.model_server_count = 4,
	.model_servers = { SERVER("default", ""), SERVER("a", ""), SERVER("b", ""),
			   SERVER("c", "other,mine=m2") },
};

static const struct attempts_room plenty = {
	.now = 1000, .deadline = 601000, .history = true, .dice = 0
};

static void begin(struct attempts *attempts, const char *names)
{
	attempts_init(attempts, &config, names ? str_from(names) : STR_NONE, STR_NONE, STR("r-1"));
}

static const char *name_at(const struct attempts *attempts)
{
	return attempts_server(attempts)->name;
}

static void the_chatbots_servers_in_their_order(void **state)
{
	static const struct {
		const char *names, *model, *servers, *logged;
	} cases[] = {
		{ NULL, NULL, "default ", "" },
		{ "a", NULL, "a ", "" },
		{ "b,default,a", NULL, "b default a ", "" },
		{ " b , a ", NULL, "b a ", "" },
		{ "a,a,b,a", NULL, "a b ", "" },
		{ "x,a", NULL, "a ",
		  "request=r-1 server=x skipped: the settings have no server of that name\n" },
		{ "c,a", NULL, "a ",
		  "request=r-1 server=c skipped: it does not have the chatbot's model\n" },
		{ "c", "other", "c ", "" },
		{ "c", "mine", "c ", "" },
		{ "c", "m2", "default ",
		  "request=r-1 server=c skipped: it does not have the chatbot's model\n" },
		{ "x", NULL, "default ",
		  "request=r-1 server=x skipped: the settings have no server of that name\n" },
	};
	struct attempts attempts;
	char servers[64];
	struct buf log;
	size_t i, k;

	(void)state;
	buf_init(&log, 1000);
	for (i = 0; i < COUNT(cases); i++) {
		buf_reset(&log);
		log_divert(&log);
		attempts_init(&attempts, &config,
			      cases[i].names ? str_from(cases[i].names) : STR_NONE,
			      str_from(cases[i].model), STR("r-1"));
		log_divert(NULL);
		servers[0] = '\0';
		for (k = 0; k < attempts.count; k++) {
			strcat(servers, attempts.servers[k].server->name);
			strcat(servers, " ");
		}
		assert_string_equal(servers, cases[i].servers);
		assert_string_equal(buf_text(&log), cases[i].logged);
	}
	buf_clear(&log);
}

/* Failures by letters, and what is asked after each: "=" the same at once, "~" after a pause. */
static struct model_failure failure_of(const char *word)
{
	static const struct {
		const char *word;
		struct model_failure failure;
	} words[] = {
		{ "unreached", { .kind = MODEL_UNREACHED } },
		{ "refused", { .kind = MODEL_DECLINED } },
		{ "reset", { .kind = MODEL_RESET } },
		{ "late", { .kind = MODEL_LATE } },
		{ "error", { .kind = MODEL_ERROR } },
		{ "error503", { .kind = MODEL_ERROR, .http = 503 } },
		{ "error400", { .kind = MODEL_ERROR, .http = 400 } },
		{ "unreadable", { .kind = MODEL_PROTOCOL } },
		{ "kept-reset", { .kind = MODEL_RESET, .reused = true } },
		{ "kept-late", { .kind = MODEL_LATE, .reused = true } },
		{ "kept-408", { .kind = MODEL_HTTP, .http = 408, .reused = true } },
		{ "kept-503", { .kind = MODEL_HTTP, .http = 503, .reused = true } },
		{ "long", { .kind = MODEL_HTTP, .http = 400, .too_long = true } },
		{ "long413", { .kind = MODEL_HTTP, .http = 413, .too_long = true } },
		{ "long500", { .kind = MODEL_HTTP, .http = 500, .too_long = true } },
		{ "member", { .kind = MODEL_HTTP, .http = 400, .refused = { .members = 4 } } },
	};
	struct model_failure failure = { .kind = MODEL_HTTP };
	size_t i;

	for (i = 0; i < COUNT(words); i++)
		if (strcmp(words[i].word, word) == 0)
			failure = words[i].failure;
	if (*word >= '0' && *word <= '9')
		failure.http = atoi(word);
	failure.retry_ms = -1;
	return failure;
}

/* Plays failures, separated by blanks; the result says whom was asked, and how. */
static void play(struct attempts *attempts, const char *failures, bool long_history, char *out)
{
	struct attempts_room room = plenty;
	char words[200], *word, *rest = NULL;
	enum attempts_step step = ATTEMPTS_MOVE;

	room.long_history = long_history;
	snprintf(words, sizeof(words), "%s", failures);
	strcpy(out, name_at(attempts));
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		struct model_failure failure = failure_of(word);

		assert_int_not_equal(step, ATTEMPTS_END);
		attempts_asked(attempts);
		step = attempts_failed(attempts, &failure, &room);
		strcat(out, step == ATTEMPTS_END       ? " end"
			    : step == ATTEMPTS_WITHOUT ? " without:"
			    : step == ATTEMPTS_HALF    ? " half:"
			    : step == ATTEMPTS_BARE    ? " none:"
						       : " ");
		if (step == ATTEMPTS_END)
			continue;
		if (attempts->pause_until > room.now) {
			strcat(out, "~");
			room.now = attempts->pause_until;
		}
		strcat(out, name_at(attempts));
	}
}

static void each_failure_has_what_follows(void **state)
{
	static const struct {
		const char *servers, *failures;
		bool long_history;
		const char *asked;
	} cases[] = {
		/* The same again, with a pause, up to the fourth. */
		{ "a", "408 409 429 500", false, "a ~a ~a ~a end" },
		{ "a", "502 503 504 529", false, "a ~a ~a ~a end" },
		{ "a", "520 524 reset reset", false, "a ~a ~a ~a end" },
		{ "a", "error error503", false, "a ~a ~a" },
		/* Nothing that time would mend. */
		{ "a", "401", false, "a end" },
		{ "a", "402", false, "a end" },
		{ "a", "403", false, "a end" },
		{ "a", "404", false, "a end" },
		{ "a", "307", false, "a end" },
		{ "a", "501", false, "a end" },
		{ "a", "400", false, "a end" },
		{ "a", "422", false, "a end" },
		{ "a", "error400", false, "a end" },
		{ "a", "refused", false, "a end" },
		{ "a", "unreached", false, "a end" },
		{ "a", "late", false, "a end" },
		{ "a", "unreadable", false, "a end" },
		/* What lay on a kept connection: at once, on another. */
		{ "a", "kept-reset", false, "a a" },
		{ "a", "kept-late", false, "a a" },
		{ "a", "kept-408", false, "a a" },
		{ "a", "kept-503", false, "a ~a" },
		{ "a,b", "kept-reset", false, "a a" },
		{ "a,b", "kept-late", false, "a b" },
		/* Another server, at once. */
		{ "a,b", "refused", false, "a b" },
		{ "a,b", "unreached", false, "a b" },
		{ "a,b", "reset", false, "a b" },
		{ "a,b", "late", false, "a b" },
		{ "a,b", "401", false, "a b" },
		{ "a,b", "403", false, "a b" },
		{ "a,b", "404", false, "a b" },
		{ "a,b", "408", false, "a b" },
		{ "a,b", "429", false, "a b" },
		{ "a,b", "500", false, "a b" },
		{ "a,b", "502", false, "a b" },
		{ "a,b", "error", false, "a b" },
		{ "a,b", "unreadable", false, "a b" },
		/* Any would refuse it. */
		{ "a,b", "400", false, "a end" },
		/* All were asked: those that may have recovered, the one that is due first. */
		{ "a,b", "503 refused 503", false, "a b ~a ~a" },
		{ "a,b", "refused 503 503 503", false, "a b ~b ~b end" },
		{ "a,b", "503 503 503 503", false, "a b ~a b end" },
		{ "a,b", "401 refused", false, "a b end" },
		{ "default,a,b", "refused late 429 429", false, "default a b ~b end" },
		/* A member. */
		{ "a", "member member member member", false,
		  "a without:a without:a without:a end" },
		{ "a,b", "member 503 member", false, "a without:a b without:b" },
		/* The length. */
		{ "a", "long long long long", false, "a half:a half:a half:a end" },
		{ "a,b", "long413 503", false, "a half:a b" },
		{ "a", "member long 503", false, "a without:a half:a ~a" },
		/* Nobody says why. */
		{ "a", "400 400 400", true, "a half:a none:a end" },
		{ "a", "422 422 422", true, "a half:a none:a end" },
		{ "a", "413 413 413", true, "a half:a none:a end" },
		{ "a", "error400 long", true, "a half:a half:a" },
		{ "a", "long 400 400", true, "a half:a half:a none:a" },
		{ "a", "400 503 400", true, "a half:a ~a none:a" },
		/* A 500, once the plain request met it again. */
		{ "a", "500 500 500 500", true, "a ~a half:a none:a end" },
		{ "a", "500 500 500", false, "a ~a ~a ~a" },
		{ "a", "error error", true, "a ~a half:a" },
		{ "a", "503 500 500", true, "a ~a ~a half:a" },
		{ "a", "long500 long500 long500", false, "a ~a half:a half:a" },
		{ "a,b", "500 500", true, "a b half:b" },
		{ "default,a,b", "500 500 500", true, "default a b half:b" },
		{ "default,a,b,c", "500 502 502", true, "default a b ~default" },
	};
	struct attempts attempts;
	char asked[300];
	size_t i;

	(void)state;
	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	for (i = 0; i < COUNT(cases); i++) {
		begin(&attempts, cases[i].servers);
		play(&attempts, cases[i].failures, cases[i].long_history, asked);
		if (strcmp(asked, cases[i].asked) != 0)
			print_error("%s: %s\n", cases[i].servers, cases[i].failures);
		assert_string_equal(asked, cases[i].asked);
		assert_true(attempts.requests <= ATTEMPTS_MOST);
	}
}

static void without_a_history_there_is_nothing_to_halve(void **state)
{
	struct attempts_room room = plenty;
	struct model_failure failure = failure_of("long");
	struct attempts attempts;

	(void)state;
	room.history = false;
	begin(&attempts, "a");
	attempts_asked(&attempts);
	assert_int_equal(attempts_failed(&attempts, &failure, &room), ATTEMPTS_END);
}

static void pauses_grow_and_are_never_in_step(void **state)
{
	static const struct {
		uint32_t dice;
		int64_t least, most;
	} cases[] = {
		{ 0, 125, 125 }, { 125, 250, 250 }, { 126, 125, 125 }, { 4000000000, 125, 250 }
	};
	struct model_failure failure = failure_of("503");
	struct attempts_room room = plenty;
	struct attempts attempts;
	int64_t before = 0;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		begin(&attempts, "a");
		attempts_asked(&attempts);
		room.dice = cases[i].dice;
		assert_int_equal(attempts_failed(&attempts, &failure, &room), ATTEMPTS_AGAIN);
		assert_in_range(attempts.pause_until - room.now, cases[i].least, cases[i].most);
	}
	begin(&attempts, "a");
	room.dice = 0;
	for (n = 1; n < ATTEMPTS_MOST; n++) {
		attempts_asked(&attempts);
		assert_int_equal(attempts.pause_until, 0);
		assert_int_equal(attempts_failed(&attempts, &failure, &room), ATTEMPTS_AGAIN);
		assert_true(attempts.pause_until - room.now > before);
		before = attempts.pause_until - room.now;
	}
}

static void a_short_retry_after_is_honoured_within_the_time(void **state)
{
	static const struct {
		int64_t retry_ms, left_ms;
		enum attempts_step step;
		int64_t pause;
	} cases[] = {
		{ -1, 60000, ATTEMPTS_AGAIN, 125 },    { 0, 60000, ATTEMPTS_AGAIN, 125 },
		{ 2000, 60000, ATTEMPTS_AGAIN, 2000 }, { 10000, 60000, ATTEMPTS_AGAIN, 10000 },
		{ 10001, 60000, ATTEMPTS_END, 0 },     { 2000, 2499, ATTEMPTS_END, 0 },
		{ 2000, 2500, ATTEMPTS_AGAIN, 2000 },  { -1, 500, ATTEMPTS_END, 0 },
	};
	struct attempts_room room = plenty;
	struct attempts attempts;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct model_failure failure = failure_of("429");

		failure.retry_ms = cases[i].retry_ms;
		room.deadline = room.now + cases[i].left_ms;
		begin(&attempts, "a");
		attempts_asked(&attempts);
		assert_int_equal(attempts_failed(&attempts, &failure, &room), cases[i].step);
		if (cases[i].step == ATTEMPTS_AGAIN)
			assert_int_equal(attempts.pause_until - room.now, cases[i].pause);
	}
}

/* JSON's 50 s are less than a first byte's 60 s: nobody takes another's share. */
static void the_time_is_shared_among_those_that_are_left(void **state)
{
	struct attempts attempts;
	char asked[100];

	(void)state;
	begin(&attempts, "a");
	assert_int_equal(attempts_patience(&attempts, 50000), 0);
	begin(&attempts, "a,b");
	assert_int_equal(attempts_patience(&attempts, 50000), 25000);
	assert_int_equal(attempts_patience(&attempts, 600000), 60000);
	assert_int_equal(attempts_patience(&attempts, 0), 1);
	play(&attempts, "late", false, asked);
	assert_int_equal(attempts_patience(&attempts, 25000), 0);
	begin(&attempts, "default,a,b");
	assert_int_equal(attempts_patience(&attempts, 30000), 10000);
	/* Who cannot be asked any more has no share. */
	play(&attempts, "member member", false, asked);
	assert_int_equal(attempts_patience(&attempts, 30000), 15000);
	play(&attempts, "member", false, asked);
	assert_int_equal(attempts_patience(&attempts, 30000), 0);
}

static void what_a_server_refused_is_sent_to_the_next(void **state)
{
	struct attempts attempts;
	char asked[100];

	(void)state;
	begin(&attempts, "a,b");
	play(&attempts, "member", false, asked);
	assert_int_equal(attempts.without.members, 4);
	play(&attempts, "503", false, asked);
	assert_int_equal(attempts.without.members, 0);
}

static void a_kept_connection_is_not_believed_twice(void **state)
{
	struct attempts attempts;
	char asked[100];

	(void)state;
	begin(&attempts, "a");
	play(&attempts, "503", false, asked);
	assert_false(attempts.fresh);
	play(&attempts, "kept-reset", false, asked);
	assert_true(attempts.fresh);
	/* Nor where there would be no other. */
	begin(&attempts, "a");
	play(&attempts, "503 503 503", false, asked);
	assert_true(attempts.fresh);
}

static void what_became_of_each_is_told(void **state)
{
	static const struct {
		const char *failures, *tries;
	} cases[] = {
		/* What the last one failed with is the exchange's error. */
		{ "503 refused 429 reset", "a 503, b refused, a 429" },
		{ "unreached reset late", "a unreached, b reset" },
		{ "late error", "a late, b error" },
		{ "unreadable 401", "a unreadable" },
		{ "error503", "a error" },
		{ "400", "" },
	};
	struct attempts attempts;
	char asked[200];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		begin(&attempts, "a,b");
		play(&attempts, cases[i].failures, false, asked);
		assert_string_equal(attempts.tries, cases[i].tries);
	}
	/* Those that are passed over. */
	begin(&attempts, "a,b");
	assert_true(attempts_pass(&attempts, false));
	assert_string_equal(name_at(&attempts), "b");
	assert_false(attempts_pass(&attempts, true));
	assert_string_equal(name_at(&attempts), "b");
	assert_string_equal(attempts.tries, "a open, b full");
	begin(&attempts, "a");
	assert_false(attempts_pass(&attempts, false));
	assert_string_equal(attempts.tries, "");
	assert_int_equal(attempts.requests, 0);
}

static void one_that_had_no_place_is_come_back_to(void **state)
{
	static const struct {
		bool full;
		const char *failures, *asked;
	} cases[] = {
		{ true, "401", "b a" },
		{ true, "late 503", "b a ~a" },
		{ true, "503 503 503", "b ~b ~b a" },
		{ true, "400", "b end" },
		/* One that is open is known to fail. */
		{ false, "401", "b end" },
		{ false, "503 503 503", "b ~b ~b ~b" },
	};
	struct attempts attempts;
	char asked[200];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		begin(&attempts, "a,b");
		assert_true(attempts_pass(&attempts, cases[i].full));
		play(&attempts, cases[i].failures, false, asked);
		assert_string_equal(asked, cases[i].asked);
	}
}

static void names_of_any_length_fit(void **state)
{
	static char name[100];
	static struct config long_config;
	struct attempts attempts;
	char asked[600];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	long_config = config;
	long_config.model_servers[0].name = name;
	attempts_init(&attempts, &long_config, str_from(name), STR_NONE, STR(""));
	play(&attempts, "503 503 503", false, asked);
	assert_int_equal(strlen(attempts.tries), 99 + 4 + 2 + 99 + 4);
}

static void whom_a_failure_is_put_down_to(void **state)
{
	static const char *const servers[] = { "unreached", "refused", "reset",	    "late",
					       "401",	    "403",     "404",	    "408",
					       "429",	    "500",     "502",	    "503",
					       "504",	    "error",   "unreadable" };
	static const char *const others[] = { "400",	  "413",     "422",	   "409",
					      "long",	  "member",  "kept-reset", "kept-late",
					      "kept-408", "error400" };
	struct model_failure failure;
	struct attempts attempts;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(servers); i++) {
		failure = failure_of(servers[i]);
		assert_true(attempts_blames(&failure));
		begin(&attempts, "a,b");
		assert_true(attempts_blame(&attempts, &failure));
		assert_false(attempts_blame(&attempts, &failure));
		assert_true(attempts_pass(&attempts, false));
		assert_true(attempts_blame(&attempts, &failure));
	}
	for (i = 0; i < COUNT(others); i++) {
		failure = failure_of(others[i]);
		assert_false(attempts_blames(&failure));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_chatbots_servers_in_their_order),
		cmocka_unit_test(each_failure_has_what_follows),
		cmocka_unit_test(without_a_history_there_is_nothing_to_halve),
		cmocka_unit_test(pauses_grow_and_are_never_in_step),
		cmocka_unit_test(a_short_retry_after_is_honoured_within_the_time),
		cmocka_unit_test(the_time_is_shared_among_those_that_are_left),
		cmocka_unit_test(what_a_server_refused_is_sent_to_the_next),
		cmocka_unit_test(a_kept_connection_is_not_believed_twice),
		cmocka_unit_test(what_became_of_each_is_told),
		cmocka_unit_test(one_that_had_no_place_is_come_back_to),
		cmocka_unit_test(names_of_any_length_fit),
		cmocka_unit_test(whom_a_failure_is_put_down_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
