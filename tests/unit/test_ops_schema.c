/* ops/schema: what is found, and as whom. */
#include "unit_ops.h"

#include "ops/schema.h"

static void the_schema_is_seen_from_outside(void **state)
{
	static const struct stub_row owned[] = { { { "me", "t", "t" } } };
	static const struct stub_row others[] = { { { "me", "t", "f" } } };
	static const struct stub_row missing[] = { { { "me", "f", "f" } } };
	enum ops_schema schema = OPS_SCHEMA_MISSING;
	char role[OPS_ROLE_SIZE];

	(void)state;
	ANSWERS(ROWS(owned), ROWS(others), ROWS(missing), FAILS(STATUS_UNAVAILABLE));
	assert_int_equal(ops_schema_look(&unit_ops.ops, &schema, role), STATUS_OK);
	assert_int_equal(schema, OPS_SCHEMA_OWNED);
	assert_string_equal(role, "me");
	assert_int_equal(ops_schema_look(&unit_ops.ops, &schema, role), STATUS_OK);
	assert_int_equal(schema, OPS_SCHEMA_OTHERS);
	assert_int_equal(ops_schema_look(&unit_ops.ops, &schema, role), STATUS_OK);
	assert_int_equal(schema, OPS_SCHEMA_MISSING);
	assert_int_equal(ops_schema_look(&unit_ops.ops, &schema, role), STATUS_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(the_schema_is_seen_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
