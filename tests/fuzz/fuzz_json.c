/*
 * wire/json: takes exactly what RFC 8259, read the plain way, takes; and means the same by it: types, strings' bytes,
 * integers, the last of equal names, a member's own bytes, how many there are. The loose reading takes all that the strict one takes.
 */
#include "fuzz.h"

#include "oracle_json.h"
#include "wire/json.h"
#include "wire/json_span.h"
#include "wire/utf8.h"

#define LOOSE_DEPTH 64

static const enum json_type types[] = {
	[ORACLE_NULL] = JSON_ABSENT,   [ORACLE_BOOLEAN] = JSON_BOOLEAN,
	[ORACLE_NUMBER] = JSON_NUMBER, [ORACLE_STRING] = JSON_STRING,
	[ORACLE_ARRAY] = JSON_ARRAY,   [ORACLE_OBJECT] = JSON_OBJECT,
};

/* True if `text`, a number, is an integer of 64 bits. */
static bool is_integer(struct str text, int64_t *out)
{
	bool minus = *text.p == '-', over = false;
	size_t i;

	*out = 0;
	for (i = minus; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		over = over || __builtin_mul_overflow(*out, 10, out) ||
		       (minus ? __builtin_sub_overflow(*out, text.p[i] - '0', out)
			      : __builtin_add_overflow(*out, text.p[i] - '0', out));
	}
	return !over;
}

static void same_scalar(struct json_node node, const struct oracle_node *want)
{
	struct str string = STR("untouched"), before = string;
	int64_t integer = 77, number;
	bool boolean = true;

	if (json_get_string(node, &string)) {
		must(want->kind == ORACLE_STRING);
		must(str_equal(string, want->value));
		must(string.p[string.n] == '\0');
	} else {
		must(want->kind != ORACLE_STRING && string.p == before.p);
	}
	if (json_get_boolean(node, &boolean))
		must(want->kind == ORACLE_BOOLEAN && boolean == (*want->text.p == 't'));
	else
		must(want->kind != ORACLE_BOOLEAN && boolean);
	if (want->kind == ORACLE_NUMBER && is_integer(want->text, &number)) {
		must(json_get_integer(node, &integer));
		must(integer == number);
	} else {
		must(!json_get_integer(node, &integer) && integer == 77);
	}
}

/* The last member of that name. */
static const struct oracle_node *member_of(const struct oracle_node *object, const char *name)
{
	const struct oracle_node *member, *last = NULL;

	for (member = object->first; member; member = member->next)
		if (str_equal(member->name, str_from(name)))
			last = member;
	return last;
}

/* True if each of a number's digits before an exponent is 0; what is too small to be told from it: either. */
static bool is_zero(struct str text, bool said)
{
	size_t i;

	for (i = 0; i < text.n && text.p[i] != 'e' && text.p[i] != 'E'; i++)
		if (text.p[i] >= '1' && text.p[i] <= '9')
			return said && (memmem(text.p, text.n, "-", 1) || text.n > 300);
	return true;
}

static bool is_blank(const struct oracle_node *want, bool said)
{
	const struct oracle_node *each;

	switch (want->kind) {
	case ORACLE_NULL:
		return true;
	case ORACLE_BOOLEAN:
		return *want->text.p == 'f';
	case ORACLE_NUMBER:
		return is_zero(want->text, said);
	case ORACLE_STRING:
		return !want->value.n;
	default:
		for (each = want->first; each; each = each->next)
			if (!is_blank(each, said))
				return false;
		return true;
	}
}

static void same(struct json_node node, const struct oracle_node *want)
{
	const struct oracle_node *each, *last;
	struct json_node member;
	size_t i = 0;
	char *name;

	must(json_type_of(node) == types[want->kind]);
	if (want->kind != ORACLE_OBJECT && want->kind != ORACLE_ARRAY)
		must(json_blank(node) == is_blank(want, json_blank(node)));
	else if (is_blank(want, false))
		must(json_blank(node));
	same_scalar(node, want);
	must(json_length(node) == (want->kind == ORACLE_ARRAY ? want->count : 0));
	must(json_type_of(json_element(node, json_length(node))) == JSON_ABSENT);
	must(json_type_of(json_member(node, "no such name")) == JSON_ABSENT ||
	     member_of(want, "no such name"));
	for (each = want->first; each; each = each->next) {
		if (want->kind == ORACLE_ARRAY) {
			same(json_element(node, i++), each);
			continue;
		}
		/* Only a model's names can be such, and nobody asks for those. */
		if (!utf8_valid(each->name, NULL))
			continue;
		/* A name with U+0000 in it, asked for as C does it, is its beginning: not to be mistaken for that. */
		name = strndup(each->name.p, each->name.n);
		must(name);
		last = member_of(want, name);
		member = json_member(node, name);
		if (!last)
			must(!member.object);
		else if (last == each)
			same(member, last);
		free(name);
	}
}

/* A member's bytes, as they stand in the document. */
static void same_text(const struct json *json, const struct oracle_node *root)
{
	const struct oracle_node *each;
	struct str text = STR_NONE;
	char *name;

	for (each = root->first; each; each = each->next) {
		name = strndup(each->name.p, each->name.n);
		must(name);
		if (member_of(root, name) != each) {
			/* its namesake's turn comes */
		} else if (each->kind == ORACLE_NULL) {
			must(json_member_text(json, name, &text) == STATUS_INVALID);
		} else {
			must(json_member_text(json, name, &text) == STATUS_OK);
			must(str_equal(text, each->text));
		}
		free(name);
	}
	if (!member_of(root, "none"))
		must(json_member_text(json, "none", &text) == STATUS_INVALID);
}

/* Taken off one by one they are all of it, in its order. */
static void same_taken(struct str members)
{
	struct str name, member, before = members;

	while (json_span_take(&members, &name, &member)) {
		must(member.n && member.p == before.p && *member.p == ',');
		must(name.p > member.p && name.p + name.n < member.p + member.n);
		must(members.p == member.p + member.n);
		before = members;
	}
	must(!members.n);
}

/* All members but two, for another object: the same ones, byte for byte. */
static void same_others(struct str text, const struct oracle_node *root)
{
	const char *names[] = { "a", root->first ? strndup(root->first->name.p, root->first->name.n)
						 : NULL };
	const struct oracle_node *each, *other;
	struct oracle_json read;
	struct buf others;

	buf_init(&others, text.n + 3);
	buf_puts(&others, "{");
	json_span_others(text, names, names[1] ? 2 : 1, &others);
	buf_puts(&others, "}");
	must(buf_check(&others) == STATUS_OK);
	same_taken((struct str){ others.data + 1, others.len - 2 });
	if (others.len > 2) {
		must(others.data[1] == ',');
		others.data[1] = ' ';
	}
	oracle_json_read(&read, buf_view(&others), false, JSON_MAX_DEPTH);
	must(read.root && read.root->kind == ORACLE_OBJECT);
	other = read.root->first;
	for (each = root->first; each; each = each->next) {
		if (str_equal(each->name, str_from(names[0])) ||
		    str_equal(each->name, str_from(names[1])))
			continue;
		must(other && str_equal(other->name, each->name) &&
		     str_equal(other->text, each->text));
		other = other->next;
	}
	must(!other);
	oracle_json_clear(&read);
	buf_clear(&others);
	free((void *)(uintptr_t)names[1]);
}

static unsigned count(const struct oracle_node *node)
{
	const struct oracle_node *each;
	unsigned values = 1;

	for (each = node->first; each; each = each->next)
		values += count(each);
	return values;
}

static void read_both(struct str text, bool loose, bool *taken)
{
	struct json *json = NULL;
	struct oracle_json want;
	enum status status;

	oracle_json_read(&want, text, loose, loose ? LOOSE_DEPTH : JSON_MAX_DEPTH);
	if (!loose)
		must(json_valid(text) == (want.root != NULL));
	*taken = want.root && want.root->kind == ORACLE_OBJECT;
	if (!loose && *taken)
		must(json_parse_most(text, count(want.root) - 1, &json) == STATUS_INVALID);
	status = loose	  ? json_parse_loose(text, &json)
		 : *taken ? json_parse_most(text, count(want.root), &json)
			  : json_parse(text, &json);
	must(status == (*taken ? STATUS_OK : STATUS_INVALID));
	must((json != NULL) == *taken);
	if (json) {
		same(json_root(json), want.root);
		if (!loose) {
			same_text(json, want.root);
			same_others(text, want.root);
		}
	}
	json_free(json);
	oracle_json_clear(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = fuzz_copy((struct str){ (const char *)data, size });
	bool strict, loose;

	read_both(text, false, &strict);
	read_both(text, true, &loose);
	must(loose || !strict);
	fuzz_free(text);
	return 0;
}
