/* Which models a server has, and under which names. */
#include "wire/model_server.h"

#include "unit.h"

static void serves(char *models, const char *model, const char *theirs)
{
	const struct model_server server = { .models = models };
	struct str found;
	bool has = model_server_serves(&server, str_from(model), &found);

	assert_int_equal(has, theirs != NULL);
	/* Where it has it not, nothing of another model's is in the name. */
	theirs = theirs ? theirs : model;
	assert_int_equal(found.n, strlen(theirs));
	assert_memory_equal(found.p, theirs, found.n);
}

static void test_without_a_list_it_has_any_model(void **state)
{
	(void)state;
	serves("", "gpt-4o", "gpt-4o");
}

static void test_a_list_names_what_it_has_and_how_it_is_called_there(void **state)
{
	char models[] = "small,big=vendor/big:free,a=b=c";

	(void)state;
	serves(models, "small", "small");
	serves(models, "big", "vendor/big:free");
	serves(models, "a", "b=c");
	serves(models, "vendor/big:free", NULL);
	serves(models, "bi", NULL);
	serves(models, "bigger", NULL);
	serves(models, "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_list_it_has_any_model),
		cmocka_unit_test(test_a_list_names_what_it_has_and_how_it_is_called_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
