/* wire/config when memory fails: nothing left behind, and what cannot be added is not. */
#include "stub_alloc.h"

#include "wire/config.h"
#include "wire/config_text.h"

static enum status section(void *context, struct str name, struct buf *why)
{
	return config_add_server(context, name, why);
}

static enum status set(void *context, struct str name, struct str value, struct buf *why)
{
	return config_set_server(context, name, value, why);
}

static void one_round(bool failing)
{
	struct config config;
	enum status status;
	size_t i;
	struct buf why;

	buf_init(&why, 500);
	status = config_init(&config);
	if (status == STATUS_OK) {
		status = config_sections(STR("[a]\nURL=http://h/v1\nKEY=k\nOPEN=2\n[b]\n"
					     "URL=http://h/v1\nHEADERS=X: 1|Y: 2\nMODELS=a=b\n"),
					 section, set, &config, &why);
		/* Those that are there are whole. */
		for (i = 0; i < config.model_server_count; i++) {
			assert_non_null(config.model_servers[i].name);
			assert_non_null(config.model_servers[i].models);
			assert_int_equal(config.model_servers[i].idle_ms, 60000);
		}
		config_clear(&config);
	}
	buf_clear(&why);
	if (failing)
		assert_true(status == STATUS_OK || status == STATUS_NOMEM);
	else
		assert_int_equal(status, STATUS_OK);
}

static void every_allocation_fails_once(void **state)
{
	(void)state;
	assert_true(alloc_torture(one_round) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
