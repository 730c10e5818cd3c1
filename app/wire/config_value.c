/* What a value of each shape may look like.  Asks no resolver and opens nothing. */
#include "wire/config_value.h"

#include <ctype.h>

#include "base/count.h"
#include "wire/address.h"

#define UNIX_PATH_MOST 107 /* sockaddr_un's, less its NUL */

static size_t digits_of(struct str text)
{
	size_t n = 0;

	while (n < text.n && isdigit((unsigned char)text.p[n]))
		n++;
	return n;
}

bool config_value_time(struct str text, int64_t *ms)
{
	static const struct {
		struct str name;
		int64_t ms;
	} units[] = { { { "", 0 }, 1000 },
		      { { "ms", 2 }, 1 },
		      { { "s", 1 }, 1000 },
		      { { "m", 1 }, 60000 },
		      { { "h", 1 }, 3600000 } };
	int64_t whole, part = 0, scale = 1;
	size_t n = digits_of(text), i;

	/* Twelve digits and an hour's milliseconds stay within 64 bits. */
	if (n > 12 || !str_number((struct str){ text.p, n }, 10, &whole))
		return false;
	text = str_skip(text, n);
	if (text.n && *text.p == '.') {
		text = str_skip(text, 1);
		n = digits_of(text);
		if (n > 9 || !str_number((struct str){ text.p, n }, 10, &part))
			return false;
		for (i = 0; i < n; i++)
			scale *= 10;
		text = str_skip(text, n);
	}
	for (i = 0; i < COUNT(units); i++) {
		if (str_equal(text, units[i].name)) {
			*ms = whole * units[i].ms + part * units[i].ms / scale;
			return true;
		}
	}
	return false;
}

bool config_value_word(struct str text, struct str list, int64_t *place)
{
	int64_t at;

	for (at = 0; list.n; at++)
		if (str_equal(str_cut(&list, STR(", ")), text)) {
			*place = at;
			return true;
		}
	return false;
}

static bool only(struct str text, bool (*is_one)(char c))
{
	size_t i;

	for (i = 0; i < text.n; i++)
		if (!is_one(text.p[i]))
			return false;
	return true;
}

static bool is_no_control(char c)
{
	return (unsigned char)c >= 0x20 && c != 0x7f;
}

static bool is_visible(char c)
{
	return c > 0x20 && c < 0x7f;
}

static bool is_unreserved(char c)
{
	return (is_visible(c) && isalnum((unsigned char)c)) || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

static bool is_host(char c)
{
	return is_unreserved(c) && c != '~';
}

static bool is_scheme(char c)
{
	return is_host(c) ? c != '_' : c == '+';
}

static bool is_host_port(struct str text, bool port_needed)
{
	struct str host, port;

	return address_split(text, &host, &port) && (port.p || !port_needed);
}

bool config_value_text(struct str text, struct buf *out)
{
	buf_str(out, text);
	return only(text, is_no_control);
}

bool config_value_listen(struct str text, struct buf *out)
{
	struct str path;

	if (!config_value_text(text, out))
		return false;
	if (!str_starts(text, STR("unix:")))
		return is_host_port(text, true);
	path = str_skip(text, 5);
	return path.n > 1 && path.n <= UNIX_PATH_MOST && *path.p == '/';
}

bool config_value_listen_or_none(struct str text, struct buf *out)
{
	return !text.n || config_value_listen(text, out);
}

bool config_value_url(struct str text, struct buf *out)
{
	struct str rest = text, path, base;

	if (str_starts(text, STR("http://")))
		rest = str_skip(text, 7);
	else if (str_starts(text, STR("https://")))
		rest = str_skip(text, 8);
	else
		return false;
	/* No user: a password here would be seen in logs. */
	path = str_cut(&rest, STR("?"));
	if (!only(text, is_visible) || memchr(text.p, '#', text.n) ||
	    !is_host_port(str_cut(&path, STR("/")), false))
		return false;
	base = str_cut(&text, STR("?"));
	while (base.p[base.n - 1] == '/')
		base.n--;
	buf_str(out, base);
	if (text.n) {
		buf_putc(out, '?');
		buf_str(out, text);
	}
	return true;
}

bool config_value_prefix(struct str text, struct buf *out)
{
	struct str rest = text;

	buf_str(out, text);
	if (!text.n)
		return true;
	if (*text.p != '/' || text.p[text.n - 1] == '/')
		return false;
	str_cut(&rest, STR("/"));
	while (rest.n) {
		text = str_cut(&rest, STR("/"));
		if (!text.n || !only(text, is_unreserved))
			return false;
	}
	return true;
}

bool config_value_database(struct str text, struct buf *out)
{
	struct str schemes[] = { STR("postgresql://"), STR("postgres://") };
	bool at = false, beyond = false;
	size_t i, n;

	for (i = 0; i < 2; i++)
		if (str_starts(text, schemes[i]))
			for (n = schemes[i].n; n < text.n; n++) {
				if (text.p[n] == '@' && (at || beyond))
					return false;
				at = at || text.p[n] == '@';
				beyond = beyond || strchr("/?#", text.p[n]);
			}
	return config_value_text(text, out);
}

bool config_value_path(struct str text, struct buf *out)
{
	return config_value_text(text, out) && (!text.n || *text.p == '/');
}

bool config_value_log(struct str text, struct buf *out)
{
	return str_equal(text, STR("stderr")) || str_equal(text, STR("syslog"))
		       ? config_value_text(text, out)
		       : text.n > 1 && text.p[text.n - 1] != '/' && config_value_path(text, out);
}

/* Each item between commas, trimmed; "" is the empty list, an empty item is none. */
static bool each(struct str list, bool (*is_item)(struct str), struct buf *out)
{
	struct str item;
	bool first = true;

	if (!str_trim(list, STR(" \t")).n)
		return true;
	while (str_next(&list, ',', &item)) {
		item = str_trim(item, STR(" \t"));
		if (!is_item(item))
			return false;
		if (!first)
			buf_putc(out, ',');
		buf_str(out, item);
		first = false;
	}
	return true;
}

static bool is_origin(struct str text)
{
	struct str scheme = str_cut(&text, STR("://"));

	return scheme.n && isalpha((unsigned char)*scheme.p) && only(scheme, is_scheme) &&
	       is_host_port(text, false);
}

bool config_value_origins(struct str text, struct buf *out)
{
	size_t i = out->len;

	if (!each(text, is_origin, out))
		return false;
	/* A browser sends them so, and they are compared byte by byte. */
	for (; i < out->len; i++)
		out->data[i] = str_lower(out->data[i]);
	return true;
}

static bool is_proxy(struct str text)
{
	struct address_block block;

	return address_read_block(text, &block);
}

bool config_value_proxies(struct str text, struct buf *out)
{
	return each(text, is_proxy, out);
}
