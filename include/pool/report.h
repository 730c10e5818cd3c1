/*
 * The whole pool as others see it: what it counted, as metrics, and what it does now, as one JSON
 * object.  It reads what is shared and changes nothing; any process of the pool may call it.
 */
#ifndef POOL_REPORT_H
#define POOL_REPORT_H

#include "base/buf.h"
#include "http/serve.h"
#include "pool/children.h"

/* An http_show_fn; `children` is a struct children. Failures stick in `out` (buf_check). */
void report_show(const void *children, enum http_shown what, struct buf *out);

#endif
