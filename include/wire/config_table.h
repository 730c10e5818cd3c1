/*
 * The rows behind wire/config: one a setting, each filling one word of struct config. For config.c
 * alone; others see them as struct config_entry.
 */
#ifndef WIRE_CONFIG_TABLE_H
#define WIRE_CONFIG_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "wire/config.h"
#include "wire/config_value.h"

#define CONFIG_TEXT_MOST 4096

enum setting_kind {
	KIND_TEXT,
	KIND_WORD, /* the value is the word's place in the row's list, `allowed` */
	KIND_WHOLE,
	KIND_OCTAL,
	KIND_TIME,
	KIND_RANGE,
};

struct setting {
	struct config_entry entry;
	enum setting_kind kind;
	/* In struct config: of a char * for KIND_TEXT, of a struct config_range, else of an int64_t. */
	size_t offset;
	int64_t least; /* of a number, of a time in ms, or of a text's bytes */
	int64_t most;
	config_value_fn shape; /* of a text */
};

/* The row of that index; NULL behind the last one. */
const struct setting *config_table(size_t index);

#endif
