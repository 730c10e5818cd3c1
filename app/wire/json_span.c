/*
 * Walks a valid object's members without building anything.  It trusts the validator: a value that
 * was taken ends within its text, so no bounds are checked again.
 */
#include "wire/json_span.h"

#include "wire/json_scan.h"

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* From an opening quote to behind the closing one. */
static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static const char *skip_value(const char *p)
{
	unsigned depth = 0;

	do {
		switch (*p) {
		case '"':
			p = skip_string(p);
			break;
		case '{':
		case '[':
			depth++;
			p++;
			break;
		case '}':
		case ']':
			depth--;
			p++;
			break;
		default:
			p++;
			if (!depth)
				while (!strchr(" \t\n\r,]}", *p))
					p++;
		}
	} while (depth);
	return p;
}

/* True if the string at `p` (its opening quote), read, is `name`. */
static bool says(const char *p, struct str name)
{
	char c[4];
	size_t n;

	for (p++; *p != '"';) {
		c[0] = *p;
		n = 1;
		if (*p++ == '\\')
			p = json_scan_escape(p, c, &n);
		if (!str_starts(name, (struct str){ c, n }))
			return false;
		name = str_skip(name, n);
	}
	return name.n == 0;
}

struct member {
	const char *name; /* its opening quote */
	struct str value;
};

/* The member behind the brace or the comma at *p, which moves behind it; false: there is none. */
static bool next_member(const char **p, struct member *out)
{
	if (**p != '{' && **p != ',')
		return false;
	out->name = skip_space(*p + 1);
	if (*out->name == '}')
		return false;
	out->value.p = skip_space(skip_space(skip_string(out->name)) + 1);
	*p = skip_value(out->value.p);
	out->value.n = (size_t)(*p - out->value.p);
	*p = skip_space(*p);
	return true;
}

struct str json_span_member(struct str text, struct str name)
{
	const char *p = skip_space(text.p);
	struct str found = STR_NONE;
	struct member member;

	while (next_member(&p, &member))
		if (says(member.name, name))
			found = member.value;
	return found;
}

void json_span_others(struct str text, const char *const *names, size_t count, struct buf *out)
{
	const char *p = skip_space(text.p);
	struct member member;
	size_t i;

	while (next_member(&p, &member)) {
		for (i = 0; i < count; i++)
			if (says(member.name, str_from(names[i])))
				break;
		if (i < count)
			continue;
		buf_putc(out, ',');
		buf_append(out, member.name,
			   (size_t)(member.value.p - member.name) + member.value.n);
	}
}

bool json_span_take(struct str *members, struct str *name, struct str *member)
{
	const char *p = members->p;
	struct member first;

	if (!members->n || !next_member(&p, &first))
		return false;
	*name = (struct str){ first.name + 1, (size_t)(skip_string(first.name) - first.name) - 2 };
	*member = (struct str){ members->p, (size_t)(p - members->p) };
	*members = str_skip(*members, member->n);
	return true;
}
