/* The shapes of what a model's server has and is sent. As wire/config_value. */
#ifndef WIRE_CONFIG_VALUE_MODEL_H
#define WIRE_CONFIG_VALUE_MODEL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* "" or header lines, with LF or | between; becomes "Name: value" with LF between. */
bool config_value_headers(struct str text, struct buf *out);
/* "" or a JSON object; becomes one line. */
bool config_value_members(struct str text, struct buf *out);
/* "" or OURS or OURS=THEIRS, with commas between; loses the white space around names. */
bool config_value_models(struct str text, struct buf *out);
/* A server's name: 1 to 64 letters, digits, dots, _ or -. */
bool config_value_server(struct str text, struct buf *out);

#endif
