/* The shapes of what is added to every request to the model. As wire/config_value. */
#ifndef WIRE_CONFIG_VALUE_MODEL_H
#define WIRE_CONFIG_VALUE_MODEL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* "" or header lines, with LF or | between; becomes "Name: value" with LF between. */
bool config_value_headers(struct str text, struct buf *out);
/* "" or a JSON object; becomes one line. */
bool config_value_members(struct str text, struct buf *out);

#endif
