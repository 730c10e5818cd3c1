/* A key behind "Authorization: Bearer", as more than one API expects it. */
#ifndef HTTP_BEARER_H
#define HTTP_BEARER_H

#include "http/error.h"
#include "http/request.h"

/* For a dialect's read_key: ERROR_NO_KEY, ERROR_MALFORMED_KEY. */
enum http_error bearer_read(const struct request *request, struct str *text);

#endif
