/* chat/model_request when memory fails: no crash, nothing lost, and the next request is whole. */
#include "stub_alloc.h"
#include "unit.h"

#include "base/log.h"
#include "chat/model_request.h"
#include "wire/json.h"

static enum status build(struct model_request *request, struct model_members *members,
			 struct model_refused without)
{
	const struct model_options options = { .name = STR("m"),
					       .max_tokens = 256,
					       .without = without };

	model_request_begin(request, members, &options);
	model_request_message(request, STR("system"), STR("Be kind."));
	model_request_message(request, STR("user"), STR("hi"));
	return model_request_end(request);
}

/* Asks, is refused, asks without that, and learns. */
static enum status learn(struct model_request *request, struct model_members *members)
{
	static const struct model_refusal refusal = { .members = 1u << MODEL_MAX_TOKENS,
						      .unknown = true,
						      .renamed = true };
	enum status status = build(request, members, (struct model_refused){ 0, 0 });

	if (status == STATUS_OK)
		status = build(request, members, model_request_refused(request, &refusal));
	if (status == STATUS_OK)
		model_request_taken(request);
	return status;
}

static void one_round(bool failing)
{
	struct model_members members;
	struct model_request request;
	enum status status =
		model_members_init(&members, STR("{\"temperature\":1,\"max_tokens\":5,\"k\":[]}"));

	model_request_init(&request);
	if (status == STATUS_OK) {
		/* What fails, or is not learned for lack of memory, goes well the next time. */
		status = learn(&request, &members);
		if (!members.known[0].model)
			assert_int_equal(learn(&request, &members), STATUS_OK);
		assert_int_equal(build(&request, &members, (struct model_refused){ 0, 0 }),
				 STATUS_OK);
		assert_non_null(strstr(buf_text(&request.body), "\"max_completion_tokens\":256"));
	}
	if (status) {
		assert_true(failing);
		assert_int_equal(status, STATUS_NOMEM);
	}
	model_request_clear(&request);
	model_members_clear(&members);
}

static void every_allocation_fails_once(void **state)
{
	(void)state;
	assert_true(alloc_torture(one_round) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails_once),
	};

	log_open("test", LOG_LEVEL_WARN, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
