/* chat/model when memory fails: no crash, nothing left behind, no half answer taken for whole. */
#include "stub_alloc.h"
#include "stub_http_client.h"

#include "chat/model.h"

#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"

static const struct stub_piece pieces[] = {
	{ .bytes = STR(DELTA("a\\ud83d") "data: {\"choices\":[{\"delta\":{\"con") },
	{ .bytes = STR("tent\":[{\"type\":\"text\",\"text\":\"\\ude00\"}]}}]}\n") },
	{ .bytes = STR(
		  "\nevent: message\ndata: {\"choices\":\ndata: []}\n\n" DELTA("b\\u0000\xc3")) },
	{ .bytes = STR("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{"
		       "\"prompt_tokens\":99999999999999999999}}"),
	  .ended = true },
};

static const struct config config = { .answer_bytes = 1 << 20,
				      .model_server_count = 1,
				      .model_servers[0].name = "default",
				      .model_servers[0].url = "u",
				      .model_servers[0].key = "",
				      .model_servers[0].headers = "",
				      .model_servers[0].members = "",
				      .model_servers[0].models = "",
				      .model = "m",
				      .model_servers[0].ca = "" };

static enum status take_text(void *context, struct str text)
{
	(void)context;
	note("%.*s|", STR_ARGS(text));
	return STATUS_OK;
}

static enum status play(struct model *model)
{
	const struct model_options options = { .name = STR_NONE };
	enum status status;
	bool ended = false;
	struct wait wait;

	wait_init(&wait);
	model_begin(model, &config.model_servers[0], &options);
	model_message(model, MODEL_SYSTEM, STR("Be kind."));
	model_message(model, MODEL_USER, STR("one"));
	model_message(model, MODEL_ASSISTANT, STR("two"));
	stub_http_script(pieces, COUNT(pieces));
	status = model_start(model, 1, NULL);
	journal_clear();
	while (status == STATUS_OK && !ended)
		status = model_next(model, &wait, 1, take_text, NULL, &ended);
	model_stop(model);
	return status;
}

static const char whole[] = "next a|next \xf0\x9f\x98\x80|next b\xef\xbf\xbd|next \xef\xbf\xbd|";

static void one_round(bool failing)
{
	struct model *model = NULL;
	enum status status = model_new(&config, &model);

	if (status) {
		assert_true(failing);
		assert_int_equal(status, STATUS_NOMEM);
		assert_null(model);
		return;
	}
	status = play(model);
	if (status) {
		assert_true(failing);
		assert_int_equal(status, STATUS_NOMEM);
		/* The worker lives on: its next exchange goes well. */
		status = play(model);
	}
	assert_int_equal(status, STATUS_OK);
	assert_string_equal(journal.text, whole);
	model_free(model);
}

static void every_allocation_fails_once(void **state)
{
	(void)state;
	/* The struct, its name, the URL, the transfer, the request, lines, documents, texts. */
	assert_true(alloc_torture(one_round) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
