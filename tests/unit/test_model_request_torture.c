/* chat/model_request when memory fails: no crash, nothing lost, and the next request is whole. */
#include "stub_alloc.h"
#include "unit.h"

#include "base/log.h"
#include "chat/model_request.h"
#include "wire/json.h"

static const struct model_options options = { .name = STR("m"), .max_tokens = 256 };

static enum status build(struct model_request *request, struct model_members *members)
{
	enum status status;

	model_request_begin(request, members, &options);
	model_request_message(request, STR("system"), STR("Be kind."));
	model_request_message(request, STR("user"), STR("hi"));
	status = model_request_end(request);
	if (status == STATUS_OK)
		status = model_request_yield(request, 1u << MODEL_MAX_TOKENS |
							      1u << MODEL_MAX_COMPLETION_TOKENS);
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
		status = build(&request, &members);
		if (!members.known[0].model)
			assert_int_equal(build(&request, &members), STATUS_OK);
		model_request_begin(&request, &members, &options);
		assert_int_equal(model_request_end(&request), STATUS_OK);
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
