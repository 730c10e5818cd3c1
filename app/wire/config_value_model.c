/* The shapes of what a model's server has and is sent: header lines, JSON members, models. */
#include "wire/config_value_model.h"

#include <ctype.h>

#include "base/count.h"
#include "wire/json.h"

#define SERVER_NAME_MOST 64

/* Those that would change how the request or its answer is read. */
static const char *const not_theirs[] = {
	"Accept-Encoding", "Connection", "Content-Encoding", "Content-Length",	  "Content-Type",
	"Expect",	   "TE",	 "Trailer",	     "Transfer-Encoding", "Upgrade",
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 9110's token. */
static bool is_header_name(struct str name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) &&
		    (!name.p[i] || !strchr("!#$%&'*+-.^_`~", name.p[i])))
			return false;
	for (i = 0; i < COUNT(not_theirs); i++)
		if (str_same(name, str_from(not_theirs[i])))
			return false;
	return name.n;
}

static bool is_header_value(struct str value)
{
	size_t i;

	for (i = 0; i < value.n; i++)
		if (value.p[i] != '\t' && (value.p[i] < ' ' || value.p[i] > '~'))
			return false;
	return value.n;
}

static bool take_header(struct str line, struct buf *out)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct str name = { line.p, colon ? (size_t)(colon - line.p) : 0 };
	struct str value;

	if (!is_header_name(name))
		return false;
	value = str_trim(str_skip(line, name.n + 1), STR_SPACE);
	if (!is_header_value(value))
		return false;
	if (out->len)
		buf_putc(out, '\n');
	buf_str(out, name);
	buf_puts(out, ": ");
	buf_str(out, value);
	return true;
}

bool config_value_headers(struct str text, struct buf *out)
{
	struct str line;
	size_t n;

	while (text.n) {
		for (n = 0; n < text.n && text.p[n] != '\n' && text.p[n] != '|'; n++)
			;
		line = str_trim((struct str){ text.p, n }, STR_SPACE);
		text = str_skip(text, n < text.n ? n + 1 : n);
		if (line.n && !take_header(line, out))
			return false;
	}
	return true;
}

bool config_value_members(struct str text, struct buf *out)
{
	size_t i = out->len;
	struct json *json = NULL;

	text = str_trim(text, STR_SPACE);
	if (!text.n)
		return true;
	if (json_parse(text, &json))
		return false;
	json_free(json);
	buf_str(out, text);
	/* Between tokens white space is all the same; the line ends of a file are not sent. */
	for (; i < out->len; i++)
		if (is_space(out->data[i]))
			out->data[i] = ' ';
	return true;
}

/* A name of a model, on its way to `out`. */
static bool take_model(struct str name, struct buf *out)
{
	size_t i;

	name = str_trim(name, STR(" \t"));
	for (i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
			return false;
	buf_str(out, name);
	return name.n;
}

bool config_value_models(struct str text, struct buf *out)
{
	struct str list = text, item, ours;

	if (!str_trim(text, STR(" \t")).n)
		return true;
	while (str_next(&list, ',', &item)) {
		if (out->len)
			buf_putc(out, ',');
		if (!str_next(&item, '=', &ours) || !take_model(ours, out))
			return false;
		if (!item.p)
			continue;
		buf_putc(out, '=');
		if (!take_model(item, out))
			return false;
	}
	return true;
}

bool config_value_server(struct str text, struct buf *out)
{
	buf_str(out, text);
	return text.n && text.n <= SERVER_NAME_MOST && str_only(text, STR("._-"));
}
