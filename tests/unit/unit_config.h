/* What the tests of wire/config share. */
#ifndef UNIT_CONFIG_H
#define UNIT_CONFIG_H

#include "unit.h"

#include "wire/config.h"

static inline void must_init(struct config *config)
{
	assert_int_equal(config_init(config), STATUS_OK);
}

/* Sets one, and looks at the message. */
static inline enum status must_say(struct config *config, const char *name, struct str value)
{
	enum status status;
	struct buf why;

	buf_init(&why, 500);
	status = config_set(config, str_from(name), value, &why);
	assert_int_equal(buf_check(&why), STATUS_OK);
	if (status == STATUS_OK) {
		assert_int_equal(why.len, 0);
	} else {
		assert_int_equal(status, STATUS_INVALID);
		assert_non_null(strstr(buf_text(&why), name));
		/* Long enough not to be one of the message's own words. */
		if (value.n > 8)
			assert_null(memmem(buf_text(&why), why.len, value.p, value.n));
	}
	buf_clear(&why);
	return status;
}

#endif
