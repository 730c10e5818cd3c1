/*
 * chat/model against answers in the shape of real servers', from transcripts/: each says where its
 * shape comes from and what is expected, then, behind "---", has the bytes of the body. Each is fed
 * whole, cut in two at every byte, and byte by byte; the result must be the same.
 */
#include "stub_model.h"

#include <dirent.h>
#include <inttypes.h>

#include "base/log.h"
#include "wire/json.h"

#define MOST_BYTES 8192
#define FOLDER "tests/unit/transcripts"

struct transcript {
	char bytes[MOST_BYTES];
	size_t n;
	const char *name;
	char members[64]; /* the operator's */
	struct str body;
	int http;
	bool again; /* asked again, as `without` and `with` say */
	enum status result;
	struct str text, finish, without, with;
	int64_t in, out, cached;
};

static enum status status_of(struct str word)
{
	static const enum status all[] = { STATUS_OK, STATUS_REFUSED, STATUS_INVALID,
					   STATUS_UNAVAILABLE };
	size_t i;

	for (i = 1; i < COUNT(all); i++)
		if (str_equal(word, str_from(status_name(all[i]))))
			return all[i];
	assert_str(word, "asked again");
	return STATUS_OK;
}

/* In place: "\n" is a line feed. */
static struct str unescaped(struct str s)
{
	char *text = (char *)(uintptr_t)s.p;
	size_t i, n = 0;

	for (i = 0; i < s.n; i++) {
		text[n] = text[i];
		if (text[i] == '\\' && i + 1 < s.n && text[i + 1] == 'n') {
			text[n] = '\n';
			i++;
		}
		n++;
	}
	return (struct str){ text, n };
}

static void take_key(struct transcript *t, struct str key, struct str value)
{
	if (str_equal(key, STR("http"))) {
		t->http = atoi(value.p);
	} else if (str_equal(key, STR("result"))) {
		t->result = status_of(value);
		t->again = t->result == STATUS_OK;
	} else if (str_equal(key, STR("members"))) {
		snprintf(t->members, sizeof(t->members), "%.*s", STR_ARGS(value));
	} else if (str_equal(key, STR("text"))) {
		t->text = unescaped(value);
	} else if (str_equal(key, STR("finish"))) {
		t->finish = value;
	} else if (str_equal(key, STR("without"))) {
		t->without = value;
	} else if (str_equal(key, STR("with"))) {
		t->with = value;
	} else if (str_equal(key, STR("usage"))) {
		if (sscanf(value.p, "%" SCNd64 " %" SCNd64 " %" SCNd64, &t->in, &t->out,
			   &t->cached) < 2)
			fail_msg("%s: a usage is two numbers, or three", t->name);
	} else {
		fail_msg("%s: what is \"%.*s\"?", t->name, STR_ARGS(key));
	}
}

static void read_transcript(const char *name, struct transcript *t)
{
	char path[512], *line, *end, *colon;
	FILE *file;

	*t = (struct transcript){
		.name = name, .http = 200, .text = STR(""), .in = -1, .out = -1, .cached = -1
	};
	snprintf(path, sizeof(path), FOLDER "/%s", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	t->n = fread(t->bytes, 1, sizeof(t->bytes), file);
	fclose(file);
	assert_in_range(t->n, 1, sizeof(t->bytes) - 1);
	assert_int_equal(t->bytes[0], '#'); /* its origin */
	for (line = t->bytes;; line = end + 1) {
		end = memchr(line, '\n', t->n - (size_t)(line - t->bytes));
		assert_non_null(end);
		if (*line == '#')
			continue;
		if (strncmp(line, "---\n", 4) == 0)
			break;
		colon = memmem(line, (size_t)(end - line), ": ", 2);
		assert_non_null(colon);
		take_key(t, (struct str){ line, (size_t)(colon - line) },
			 (struct str){ colon + 2, (size_t)(end - colon - 2) });
	}
	t->body = (struct str){ end + 1, t->n - (size_t)(end + 1 - t->bytes) };
}

/* A test of each transcript. */
static void each(void (*test)(struct transcript *t), int least)
{
	static struct transcript t;
	struct dirent **names;
	int i, n = scandir(FOLDER, &names, NULL, alphasort), played = 0;

	assert_true(n > 0);
	for (i = 0; i < n; i++) {
		if (strstr(names[i]->d_name, ".txt")) {
			read_transcript(names[i]->d_name, &t);
			test(&t);
			played++;
		}
		free(names[i]);
	}
	free(names);
	assert_true(played >= least);
}

static struct config settings;

static void begin(struct model *model, struct model_refused without)
{
	const struct model_options options = { .temperature = STR("0.5"),
					       .max_tokens = 256,
					       .without = without };

	model_begin(model, &settings.model_servers[0], &options);
	model_message(model, MODEL_USER, STR(SECRET));
	assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
}

static void go_on(struct model *model, struct answer *answer)
{
	struct wait wait;

	wait_init(&wait);
	answer->status = model_next(model, &wait, 1, take_text, answer, &answer->ended);
}

static bool sends(const char *text)
{
	struct str body = stub_http_body();

	return memmem(body.p, body.n, text, strlen(text));
}

static const struct model_refused nothing = { .members = 0 };

static void assert_asked_again(const struct transcript *t, struct model *model,
			       struct answer *answer)
{
	const struct stub_piece second[] = { { .bytes = STR(HELLO FINISH("stop") DONE),
					       .ended = true } };
	char quoted[64];
	int round;

	snprintf(quoted, sizeof(quoted), "\"%.*s\"", STR_ARGS(t->without));
	assert_int_equal(journal_count("post "), 1);
	assert_true(model_failed(model)->refused.members);
	/* Round 0 is the second request, round 1 the next exchange: it was remembered. */
	for (round = 0; round < 2; round++) {
		*answer = (struct answer){ .ended = false };
		begin(model, round ? nothing : model_failed(model)->refused);
		assert_true(json_valid(stub_http_body()));
		assert_false(sends(quoted));
		assert_int_equal(sends("\"stream_options\""),
				 strcmp(quoted, "\"stream_options\"") != 0);
		assert_int_equal(sends("\"temperature\":0.5"),
				 strcmp(quoted, "\"temperature\"") != 0);
		assert_int_equal(sends("\"max_tokens\":256"),
				 strcmp(quoted, "\"max_tokens\"") != 0);
		if (t->with.p) {
			snprintf(quoted, sizeof(quoted), "%.*s", STR_ARGS(t->with));
			assert_true(sends(quoted));
			snprintf(quoted, sizeof(quoted), "\"%.*s\"", STR_ARGS(t->without));
		} else {
			assert_false(sends("max_completion_tokens"));
		}
		stub_http.pieces = second;
		stub_http.count = 1;
		stub_http.at = 0;
		stub_http.http = 200;
		go_on(model, answer);
		assert_int_equal(answer->status, STATUS_OK);
		assert_true(answer->ended);
		assert_string_equal(answer->text, "Hel|lo");
	}
	assert_int_equal(journal_count("post "), 3);
}

static void assert_result(const struct transcript *t, struct model *model, struct answer *answer)
{
	const char *cause = model_cause(model);
	enum status expected = t->again ? STATUS_REFUSED : t->result;
	char number[8];

	assert_null(strstr(cause, SECRET));
	assert_int_equal(*cause != '\0', answer->status != STATUS_OK);
	if (answer->status != expected || !str_equal(str_from(answer->text), t->text))
		print_error("%s: %s, \"%s\", %s\n", t->name, status_name(answer->status),
			    answer->text, cause);
	assert_int_equal(answer->status, expected);
	assert_same(str_from(answer->text), t->text);
	if (t->again) {
		assert_asked_again(t, model, answer);
		return;
	}
	assert_int_equal(journal_count("post "), 1);
	assert_int_equal(model_failed(model)->refused.members, 0);
	assert_same(model_finish_reason(model), t->finish);
	assert_int_equal(model_tokens_in(model), t->in);
	assert_int_equal(model_tokens_out(model), t->out);
	assert_int_equal(model_tokens_cached(model), t->cached);
	snprintf(number, sizeof(number), "%d", t->http);
	if (t->http != 200)
		assert_non_null(strstr(cause, number));
}

/* Plays its body in these pieces with a model that knows nothing yet. */
static void play_pieces(struct transcript *t, const struct stub_piece *pieces, size_t n)
{
	struct answer answer = { .ended = false };
	struct model *model = NULL;

	settings = config;
	settings.model_servers[0].members = t->members;
	assert_int_equal(model_new(&settings, &model), STATUS_OK);
	journal_clear();
	stub_http_script(pieces, n);
	stub_http.http = t->http;
	stub_http.cause = "the stub's cause";
	begin(model, nothing);
	while (answer.status == STATUS_OK && !answer.ended && stub_http.at < n)
		go_on(model, &answer);
	assert_int_equal(answer.ended, t->result == STATUS_OK && !t->again);
	assert_result(t, model, &answer);
	model_free(model);
}

static void cut_everywhere(struct transcript *t)
{
	size_t cut;

	for (cut = 0; cut <= t->body.n; cut++) {
		const struct stub_piece two[] = {
			{ .bytes = { t->body.p, cut } },
			{ .bytes = str_skip(t->body, cut), .ended = true },
		};

		play_pieces(t, two, 2);
	}
}

static void byte_by_byte(struct transcript *t)
{
	static struct stub_piece pieces[MOST_BYTES + 1];
	size_t i;

	for (i = 0; i < t->body.n; i++)
		pieces[i] = (struct stub_piece){ .bytes = { t->body.p + i, 1 } };
	pieces[i++] = (struct stub_piece){ .bytes = STR(""), .ended = true };
	play_pieces(t, pieces, i);
}

static void same_answer_wherever_it_is_cut(void **state)
{
	(void)state;
	each(cut_everywhere, 45);
}

static void same_answer_byte_by_byte(void **state)
{
	(void)state;
	each(byte_by_byte, 45);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_answer_wherever_it_is_cut),
		cmocka_unit_test(same_answer_byte_by_byte),
	};

	log_open("test", LOG_LEVEL_WARN, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
