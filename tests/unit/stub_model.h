/* A model whose transfer is a stub, and its answers as text, for test_model and _stream. */
#ifndef STUB_MODEL_H
#define STUB_MODEL_H

#include "stub_http_client.h"

#include "chat/model.h"
#include "wire/utf8.h"

/* Stands in all streams and messages; no cause may hold it. */
#define SECRET "SECRET"

#define CHUNK(json) "data: {\"id\":\"" SECRET "\",\"choices\":[" json "]}\n\n"
#define DELTA(text)                                                                                \
	CHUNK("{\"index\":0,\"delta\":{\"content\":\"" text "\"},\"finish_reason\":null}")
#define FINISH(reason) CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}")
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n"
#define DONE "data: [DONE]\n\n"
#define HELLO DELTA("Hel") DELTA("lo")

static const struct config config = {
	.answer_bytes = 1 << 20,
	.model_server_count = 1,
	.model_servers[0].name = "default",
	.model_servers[0].url = "http://model/v1",
	.model_servers[0].key = "the-key",
	.model_servers[0].headers = "",
	.model_servers[0].members = "",
	.model_servers[0].models = "",
	.model = "gpt-default",
	.model_servers[0].ca = "",
};

static inline struct model *make_model(void)
{
	struct model *model = NULL;

	assert_int_equal(model_new(&config, &model), STATUS_OK);
	return model;
}

/* An answer: its deltas joined by '|', and all that is asked of the model afterwards. */
struct answer {
	char text[1024];
	size_t n;
	enum status status;
	bool ended;
};

static inline enum status take_text(void *context, struct str text)
{
	struct answer *answer = context;

	assert_true(text.n > 0);
	assert_true(utf8_valid(text, NULL));
	assert_null(memchr(text.p, '\0', text.n));
	assert_true(answer->n + text.n + 1 < sizeof(answer->text));
	if (answer->n)
		answer->text[answer->n++] = '|';
	memcpy(answer->text + answer->n, text.p, text.n);
	answer->n += text.n;
	answer->text[answer->n] = '\0';
	return STATUS_OK;
}

/* Plays a script to its end. */
static inline void play(struct model *model, const struct stub_piece *pieces, size_t count,
			struct answer *answer)
{
	const struct model_options none = { .name = STR_NONE };
	struct wait wait;

	wait_init(&wait);
	journal_clear();
	*answer = (struct answer){ .ended = false };
	stub_http_script(pieces, count);
	stub_http.cause = "the stub's cause";
	model_begin(model, &config.model_servers[0], &none);
	model_message(model, MODEL_USER, STR(SECRET));
	assert_int_equal(model_start(model, CLOCK_NEVER, NULL), STATUS_OK);
	while (answer->status == STATUS_OK && !answer->ended)
		answer->status =
			model_next(model, &wait, CLOCK_NEVER, take_text, answer, &answer->ended);
	assert_int_equal(answer->ended, answer->status == STATUS_OK);
	assert_null(strstr(model_cause(model), SECRET));
	assert_int_equal(*model_cause(model) != '\0', answer->status != STATUS_OK);
	model_stop(model);
}

#endif
