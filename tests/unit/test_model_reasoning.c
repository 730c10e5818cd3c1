/* chat/model_reasoning: what is left of an answer, wherever its text is cut. */
#include "unit.h"

#include "chat/model_reasoning.h"

static const struct {
	const char *text;
	const char *removed; /* mode "remove", in a stream */
	const char *whole;   /* ... in one piece; NULL: the same */
	const char *begins;  /* mode "begins"; NULL: as `removed` */
} answers[] = {
	{ "Hello", "Hello", NULL, NULL },
	{ "", "", NULL, NULL },
	{ "<think>x</think>Hello", "Hello", NULL, NULL },
	{ "\n\n <think>\nx < y\n</think>\n\nHello\n", "Hello\n", NULL, NULL },
	{ "<think></think>\n\nHello", "Hello", NULL, NULL },
	{ "<thinking>x</thinking>Hello", "Hello", NULL, NULL },
	{ "<thought>x</thought>Hello", "Hello", NULL, NULL },
	{ "<Thought>x</Thought>Hello", "Hello", NULL, NULL },
	{ "<reason>x</reason>Hello", "Hello", NULL, NULL },
	{ "<reasoning>x</reasoning>Hello", "Hello", NULL, NULL },
	{ "<seed:think>x</seed:think>Hello", "Hello", NULL, NULL },
	{ "[THINK]x[/THINK]Hello", "Hello", NULL, NULL },
	{ "\u25c1think\u25b7x\u25c1\u25b7\u25c1/think\u25b7Hello", "Hello", NULL, NULL },
	{ "<|START_THINKING|>x<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>", "Hello",
	  NULL, NULL },
	{ "<|START_RESPONSE|>Hello<|END_RESPONSE|>", "Hello", NULL, NULL },
	{ "<|begin_of_thought|>x<|end_of_thought|>\n\n<|begin_of_solution|>\n\nHello"
	  "<|end_of_solution|>",
	  "Hello", NULL, NULL },
	{ "<|channel>thought\nx<channel|>Hello", "Hello", NULL, NULL },
	{ "<unused94>thought\nx<unused95>Hello", "Hello", NULL, NULL },
	{ "<think>\nx\n</think>\n<answer>\nHello\n</answer>\n", "Hello\n", NULL, NULL },
	{ "<think>x</think><answer>a </answer> b</answer>", "a </answer> b", NULL, NULL },
	{ "<think>x</think><response>Hello", "Hello", NULL, NULL },
	/* Several in a row; the first closing mark closes, one of another kind does not. */
	{ "<think>x</think>\n<think>y</think>\n<reasoning>z</reasoning> Hello", "Hello", NULL,
	  NULL },
	{ "<think>x</thinking></think>Hello", "Hello", NULL, NULL },
	{ "<think>x</think>Hello</think>you", "Hello</think>you", NULL, NULL },
	{ "<think>x</think></think>\nHello", "Hello", NULL, NULL },
	/* Harmony. */
	{ "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>Hello"
	  "<|return|>",
	  "Hello", NULL, NULL },
	{ "<|start|>assistant<|channel|>analysis<|message|>x<|end|>\n<|start|>assistant<|channel|>"
	  "commentary to=functions.f <|constrain|>json<|message|>{}<|call|><|start|>assistant"
	  "<|channel|>final <|constrain|>json<|message|>Hello",
	  "Hello", NULL, NULL },
	{ "<|channel|>analysis<|message|>x<|end|>Hello", "Hello", NULL, NULL },
	{ "<|channel|>analysis<|message|>x<|start|>assistant<|channel|>final<|message|>Hello",
	  "Hello", NULL, NULL },
	{ "<|channel|>final<|message|>Hello<|end|>", "Hello", NULL, NULL },
	{ "<|start|>assistant<|message|>Hello<|return|>", "Hello", NULL, NULL },
	{ "<|channel|>final<|message|>Hel<|end|><|start|>assistant<|channel|>analysis<|message|>x"
	  "<|end|><|channel|>final<|message|>lo",
	  "Hello", NULL, NULL },
	{ "<|channel|>final<|message|>a <|end|> b <| c", "a <|end|> b <| c", NULL, NULL },
	{ "<|channel|>other<|message|>Hello", "<|channel|>other<|message|>Hello", NULL, NULL },
	{ "<|channel|>final and no more", "<|channel|>final and no more", NULL, NULL },
	{ "<|channel|>finally<|channel|>", "<|channel|>finally<|channel|>", NULL, NULL },
	{ "<|start|>user<|message|>Hello", "<|start|>user<|message|>Hello", NULL, NULL },
	/* Only reasoning. */
	{ "<think>x", "", NULL, NULL },
	{ "<think>x</think>\n\n", "", NULL, NULL },
	{ "<think>x</thin", "", NULL, NULL },
	{ "<|channel|>analysis<|message|>x<|end|>", "", NULL, NULL },
	/* What only looks like one. */
	{ "<", "<", NULL, NULL },
	{ " \n", " \n", NULL, NULL },
	{ "<thin", "<thin", NULL, NULL },
	{ "<thinker>Hello", "<thinker>Hello", NULL, NULL },
	{ "<<think>x", "<<think>x", NULL, NULL },
	{ "[T", "[T", NULL, NULL },
	{ "[Think](http://x)", "[Think](http://x)", NULL, NULL },
	{ "\u25c1\u25c1think\u25b7", "\u25c1\u25c1think\u25b7", NULL, NULL },
	{ "\u2013 Hello", "\u2013 Hello", NULL, NULL },
	{ "Write <think>x and go on", "Write <think>x and go on", NULL, NULL },
	{ "`<think>` opens it", "`<think>` opens it", NULL, NULL },
	{ "It is `</think>`, \"</think>\", '</think>'",
	  "It is `</think>`, \"</think>\", '</think>'", NULL, NULL },
	{ "So: <think>x</think> y", "So: <think>x</think> y", NULL, "y" },
	{ "<b><thinking>x</thinking>", "<b><thinking>x</thinking>", NULL, "" },
	{ "<answer>Hello</answer>", "<answer>Hello</answer>", NULL, NULL },
	{ "Hello<|end|>", "Hello<|end|>", NULL, NULL },
	/* A closing mark alone. */
	{ "x</think>\n\nHello", "x</think>\n\nHello", "Hello", "Hello" },
	{ "x</think>", "x</think>", "", "" },
	{ "\"x\"</think>", "\"x\"</think>", NULL, NULL },
	{ "x[/THINK]Hello", "x[/THINK]Hello", "Hello", "Hello" },
	{ "\"x\"</think>\nHello", "\"x\"</think>\nHello", "Hello", "Hello" },
	{ "x</think><answer>Hello</answer>", "x</think><answer>Hello</answer>", "Hello", "Hello" },
	{ "x</think>Hello</think>you", "x</think>Hello</think>you", "Hello</think>you",
	  "Hello</think>you" },
	{ "x</thi</think>Hello", "x</thi</think>Hello", "Hello", "Hello" },
	{ "x<|end|><|start|>assistant<|channel|>final<|message|>Hello<|return|>",
	  "x<|end|><|start|>assistant<|channel|>final<|message|>Hello<|return|>", "Hello",
	  "Hello" },
	{ "\n</think>\n\nHello", "Hello", NULL, NULL },
	{ "</think>", "</think>", NULL, "" },
	{ "</think>\n", "</think>\n", NULL, "" },
};

/* What the client has: an absent text takes all of it back. */
struct taken {
	char text[1024];
	size_t n;
	int calls;
	bool took_back;
};

static enum status take(void *context, struct str text)
{
	struct taken *taken = context;

	if (!text.p) {
		assert_true(taken->n > 0);
		taken->n = 0;
		taken->took_back = true;
	} else {
		assert_true(text.n > 0);
		assert_true(taken->n + text.n < sizeof(taken->text));
		memcpy(taken->text + taken->n, text.p, text.n);
		taken->n += text.n;
		taken->calls++;
	}
	taken->text[taken->n] = '\0';
	return STATUS_OK;
}

static void feed(struct model_reasoning *reasoning, const char *text, size_t n, struct taken *taken)
{
	char *own = malloc(n + 1); /* so that a read beyond it is seen */

	assert_non_null(own);
	memcpy(own, text, n);
	assert_int_equal(model_reasoning_feed(reasoning, (struct str){ own, n }, take, taken),
			 STATUS_OK);
	free(own);
}

static void end(struct model_reasoning *reasoning, bool cut, struct taken *taken)
{
	assert_int_equal(model_reasoning_end(reasoning, cut, take, taken), STATUS_OK);
}

/* Whole, at every place cut in two, at every two in three, and byte by byte. */
static void assert_left(struct model_reasoning *reasoning, const char *text, const char *left)
{
	size_t n = strlen(text), i, j;
	struct taken taken;

	for (i = 0; i <= n; i++) {
		for (j = i; j <= n; j += n > 60 && j > i ? 7 : 1) {
			model_reasoning_reset(reasoning);
			taken = (struct taken){ .n = 0 };
			feed(reasoning, text, i, &taken);
			feed(reasoning, text + i, j - i, &taken);
			feed(reasoning, text + j, n - j, &taken);
			end(reasoning, false, &taken);
			if (strcmp(taken.text, left) != 0)
				print_error("%zu, %zu of %s\n", i, j, text);
			assert_string_equal(taken.text, left);
		}
	}
	model_reasoning_reset(reasoning);
	taken = (struct taken){ .n = 0 };
	for (i = 0; i < n; i++)
		feed(reasoning, text + i, 1, &taken);
	end(reasoning, false, &taken);
	assert_string_equal(taken.text, left);
	assert_int_equal(model_reasoning_only(reasoning), n && !taken.n);
}

static void a_marker_torn_anywhere_is_the_same_marker(void **state)
{
	struct model_reasoning reasoning;
	const char *removed, *kept;
	size_t i;

	(void)state;
	model_reasoning_init(&reasoning, 1024);
	for (i = 0; i < COUNT(answers); i++) {
		removed = answers[i].removed;
		reasoning.mode = MODEL_REASONING_REMOVE;
		reasoning.whole = false;
		assert_left(&reasoning, answers[i].text, removed);
		assert_false(reasoning.untold);
		reasoning.whole = true;
		kept = answers[i].whole;
		assert_left(&reasoning, answers[i].text, kept ? kept : removed);
		reasoning.mode = MODEL_REASONING_BEGINS;
		reasoning.whole = false;
		kept = answers[i].begins;
		assert_left(&reasoning, answers[i].text, kept ? kept : removed);
		reasoning.mode = MODEL_REASONING_KEEP;
		model_reasoning_reset(&reasoning);
		assert_left(&reasoning, answers[i].text, answers[i].text);
	}
	model_reasoning_clear(&reasoning);
}

/* S4: what each delta sets free; "" is nothing, and no call. */
static const struct {
	enum model_reasoning_mode mode;
	const char *deltas[6];
	const char *free[7]; /* the last one: at the end */
} streams[] = {
	{ MODEL_REASONING_REMOVE, { "Hel", "lo", " <", "b>" }, { "Hel", "lo", " <", "b>", "" } },
	{ MODEL_REASONING_REMOVE, { " ", "<", "thi", "s>" }, { "", "", "", " <this>", "" } },
	{ MODEL_REASONING_REMOVE, { "<thi" }, { "", "<thi" } },
	{ MODEL_REASONING_REMOVE,
	  { "<think>", "x", "</think>", "\n\n", "Hel", "lo" },
	  { "", "", "", "", "Hel", "lo", "" } },
	{ MODEL_REASONING_REMOVE, { "<think>x</think>Hel", "lo" }, { "Hel", "lo", "" } },
	{ MODEL_REASONING_REMOVE,
	  { "<|channel|>final<|message|>a", " <", "b", "<|end|>" },
	  { "a", " ", "<b", "", "" } },
	{ MODEL_REASONING_REMOVE, { "x</", "think>", "y" }, { "x</", "think>", "y", "" } },
	{ MODEL_REASONING_BEGINS, { "x", "</think>", "Hel", "lo" }, { "", "", "Hel", "lo", "" } },
	{ MODEL_REASONING_BEGINS,
	  { "<think>x", "</think>", "Hel", "lo" },
	  { "", "", "Hel", "lo", "" } },
	{ MODEL_REASONING_BEGINS, { "Hel", "lo" }, { "", "", "Hello" } },
	{ MODEL_REASONING_KEEP, { "<think>", "x" }, { "<think>", "x", "" } },
};

static void each_delta_sets_free_what_it_decides(void **state)
{
	struct model_reasoning reasoning;
	struct taken taken;
	const char *delta;
	size_t i, j;

	(void)state;
	model_reasoning_init(&reasoning, 1024);
	for (i = 0; i < COUNT(streams); i++) {
		reasoning.mode = streams[i].mode;
		model_reasoning_reset(&reasoning);
		for (j = 0; j < 6 && streams[i].deltas[j]; j++) {
			taken = (struct taken){ .n = 0 };
			delta = streams[i].deltas[j];
			feed(&reasoning, delta, strlen(delta), &taken);
			assert_string_equal(taken.text, streams[i].free[j]);
			assert_int_equal(taken.calls, taken.n > 0);
		}
		taken = (struct taken){ .n = 0 };
		end(&reasoning, false, &taken);
		assert_string_equal(taken.text, streams[i].free[j]);
	}
	model_reasoning_clear(&reasoning);
}

static void a_lone_mark_is_remarked(void **state)
{
	static const struct {
		const char *text;
		bool lone;
	} texts[] = {
		{ "x</think>Hello", true },
		{ "x</think>", true },
		{ "</think>Hello", true },
		{ "<think>x</think>Hello", false },
		{ "<think>x</think>a</think>b", false },
		{ "Say `</think>` now", false },
		{ "Hello", false },
		{ "</think>", false },
	};
	struct model_reasoning reasoning;
	struct taken taken;
	size_t i;

	(void)state;
	model_reasoning_init(&reasoning, 1024);
	for (i = 0; i < COUNT(texts) * 2; i++) {
		reasoning.whole = i % 2;
		model_reasoning_reset(&reasoning);
		taken = (struct taken){ .n = 0 };
		feed(&reasoning, texts[i / 2].text, strlen(texts[i / 2].text), &taken);
		end(&reasoning, false, &taken);
		assert_int_equal(reasoning.lone, texts[i / 2].lone);
	}
	reasoning.whole = true;
	model_reasoning_reset(&reasoning);
	taken = (struct taken){ .n = 0 };
	feed(&reasoning, "so </thi", 8, &taken);
	assert_string_equal(taken.text, "so </thi");
	feed(&reasoning, "nk>\nHello", 9, &taken);
	assert_true(taken.took_back);
	assert_string_equal(taken.text, "Hello");
	model_reasoning_clear(&reasoning);
}

static void what_is_withheld_has_an_answers_limit(void **state)
{
	struct model_reasoning reasoning;
	struct taken taken = { .n = 0 };
	int i;

	(void)state;
	model_reasoning_init(&reasoning, 16);
	reasoning.mode = MODEL_REASONING_BEGINS;
	model_reasoning_reset(&reasoning);
	for (i = 0; i < 100; i++)
		feed(&reasoning, "so ", 3, &taken);
	assert_true(reasoning.withheld.size <= 64);
	/* It was reasoning: nobody minds how long. */
	feed(&reasoning, "</think>Hello", 13, &taken);
	end(&reasoning, false, &taken);
	assert_string_equal(taken.text, "Hello");
	assert_false(reasoning.untold);
	/* It was the answer, and too long for one. */
	model_reasoning_reset(&reasoning);
	feed(&reasoning, "12345678901234567", 17, &taken);
	assert_int_equal(model_reasoning_end(&reasoning, false, take, &taken), STATUS_NOMEM);
	model_reasoning_reset(&reasoning);
	taken = (struct taken){ .n = 0 };
	feed(&reasoning, "1234567890123456", 16, &taken);
	end(&reasoning, false, &taken);
	assert_string_equal(taken.text, "1234567890123456");
	assert_true(reasoning.untold);
	/* Cut at its limit it was reasoning that was not over. */
	model_reasoning_reset(&reasoning);
	taken = (struct taken){ .n = 0 };
	feed(&reasoning, "so", 2, &taken);
	end(&reasoning, true, &taken);
	assert_string_equal(taken.text, "");
	assert_true(model_reasoning_only(&reasoning));
	assert_false(reasoning.untold);
	model_reasoning_clear(&reasoning);
}

static void hidden_text_is_not_kept(void **state)
{
	struct model_reasoning reasoning;
	struct taken taken = { .n = 0 };
	char long_text[1000];
	int i;

	(void)state;
	memset(long_text, '<', sizeof(long_text));
	model_reasoning_init(&reasoning, 16);
	model_reasoning_reset(&reasoning);
	feed(&reasoning, "<think>", 7, &taken);
	for (i = 0; i < 100; i++)
		feed(&reasoning, long_text, sizeof(long_text), &taken);
	assert_int_equal(taken.calls, 0);
	assert_int_equal(reasoning.out.size, 0);
	assert_int_equal(reasoning.withheld.size, 0);
	model_reasoning_clear(&reasoning);
}

static enum status refuse(void *context, struct str text)
{
	(void)context;
	(void)text;
	return STATUS_CLOSED;
}

static void what_the_sink_says_is_said(void **state)
{
	struct model_reasoning reasoning;

	(void)state;
	model_reasoning_init(&reasoning, 16);
	model_reasoning_reset(&reasoning);
	assert_int_equal(model_reasoning_feed(&reasoning, STR("a"), refuse, NULL), STATUS_CLOSED);
	model_reasoning_reset(&reasoning);
	assert_int_equal(model_reasoning_feed(&reasoning, STR("<"), refuse, NULL), STATUS_OK);
	assert_int_equal(model_reasoning_end(&reasoning, false, refuse, NULL), STATUS_CLOSED);
	model_reasoning_clear(&reasoning);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_marker_torn_anywhere_is_the_same_marker),
		cmocka_unit_test(each_delta_sets_free_what_it_decides),
		cmocka_unit_test(a_lone_mark_is_remarked),
		cmocka_unit_test(what_is_withheld_has_an_answers_limit),
		cmocka_unit_test(hidden_text_is_not_kept),
		cmocka_unit_test(what_the_sink_says_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
