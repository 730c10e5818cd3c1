/* "Bearer KEY"; the scheme's case does not count (RFC 9110, 11.1). */
#include "http/bearer.h"

enum http_error bearer_read(const struct request *request, struct str *text)
{
	struct str header = request_header(request, "HTTP_AUTHORIZATION");

	if (header.n == 0)
		return ERROR_NO_KEY;
	if (header.n < 8 || !str_same((struct str){ header.p, 7 }, STR("bearer ")))
		return ERROR_MALFORMED_KEY;
	*text = str_skip(header, 7);
	while (text->n && text->p[0] == ' ')
		*text = str_skip(*text, 1);
	return text->n ? ERROR_NONE : ERROR_MALFORMED_KEY;
}
