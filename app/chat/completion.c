/* The messages of OpenAI's protocol. A text of one piece, which nearly all are, is not copied. */
#include "chat/completion.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/count.h"

#define NONE SIZE_MAX
/* Bytes; more than any body has (BANTER_BODY_BYTES). */
#define MOST 33554432

enum role { ROLE_NONE, ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT };

static enum role role_of(struct json_node message)
{
	static const struct {
		struct str name;
		enum role role;
	} roles[] = {
		{ STR("user"), ROLE_USER },
		{ STR("assistant"), ROLE_ASSISTANT },
		{ STR("system"), ROLE_SYSTEM },
		{ STR("developer"), ROLE_SYSTEM },
	};
	struct str name;
	size_t i;

	if (!json_get_string(json_member(message, "role"), &name))
		return ROLE_NONE;
	for (i = 0; i < COUNT(roles); i++)
		if (str_equal(roles[i].name, name))
			return roles[i].role;
	return ROLE_NONE;
}

/* The i-th text of a content's parts; false: it is none. */
static bool text_of_part(struct json_node content, size_t i, struct str *text)
{
	struct json_node part = json_element(content, i);
	struct str type;

	return json_get_string(json_member(part, "type"), &type) && str_equal(type, STR("text")) &&
	       json_get_string(json_member(part, "text"), text);
}

/* How long a content's texts are together, if they have to be joined. */
static size_t joined_size(struct json_node content)
{
	size_t parts = 0, size = 0, i;
	struct str text;

	for (i = 0; i < json_length(content); i++) {
		if (!text_of_part(content, i, &text))
			continue;
		parts++;
		size += text.n + 1;
	}
	return parts > 1 ? size : 0;
}

/* In `joined` nothing moves any more: there is room for all. */
static struct str text_of(struct json_node content, struct buf *joined)
{
	struct str text = STR_NONE, piece;
	size_t begin = joined->len, i;

	if (json_get_string(content, &text))
		return text;
	if (!joined_size(content)) {
		for (i = 0; i < json_length(content) && !text.p; i++)
			(void)text_of_part(content, i, &text);
		return text;
	}
	for (i = 0; i < json_length(content); i++) {
		if (!text_of_part(content, i, &piece))
			continue;
		if (joined->len > begin)
			buf_putc(joined, '\n');
		buf_str(joined, piece);
	}
	return (struct str){ joined->data + begin, joined->len - begin };
}

/* So that what is joined stays where it is. */
static enum status make_room(struct json_node messages, struct buf *joined)
{
	size_t room = 0, i;

	for (i = 0; i < json_length(messages); i++)
		room += joined_size(json_member(json_element(messages, i), "content"));
	return !room || buf_room(joined, room + 1) ? STATUS_OK : STATUS_NOMEM;
}

static void add_system(struct completion_said *out, struct str text)
{
	if (out->systems.len)
		buf_puts(&out->systems, "\n\n");
	buf_str(&out->systems, text);
}

static void add(struct completion_said *out, struct json_node message, size_t *last)
{
	enum role role = role_of(message);
	struct str text;

	if (role == ROLE_NONE)
		return;
	text = text_of(json_member(message, "content"), &out->joined);
	if (role == ROLE_USER)
		*last = text.n ? out->count : NONE;
	if (!text.n)
		return;
	if (role == ROLE_SYSTEM) {
		add_system(out, text);
		return;
	}
	out->messages[out->count++] = (struct prompt_message){ role == ROLE_ASSISTANT, text };
}

enum status completion_read(struct json_node messages, struct completion_said *out)
{
	size_t count = json_length(messages), last = NONE, i;

	buf_init(&out->joined, MOST);
	buf_init(&out->systems, MOST);
	if (!count)
		return STATUS_INVALID;
	out->messages = calloc(count, sizeof(*out->messages));
	if (!out->messages || make_room(messages, &out->joined))
		return STATUS_NOMEM;
	for (i = 0; i < count; i++)
		add(out, json_element(messages, i), &last);
	if (buf_check(&out->systems))
		return STATUS_NOMEM;
	if (out->systems.len)
		out->system = buf_view(&out->systems);
	if (last == NONE)
		return STATUS_INVALID;
	out->message = out->messages[last].text;
	out->count = last;
	return STATUS_OK;
}

enum status completion_text(struct json_node content, struct buf *joined, struct str *out)
{
	size_t size = joined_size(content);

	buf_init(joined, MOST);
	if (size && !buf_room(joined, size + 1))
		return STATUS_NOMEM;
	*out = text_of(content, joined);
	return STATUS_OK;
}

void completion_clear(struct completion_said *said)
{
	free(said->messages);
	buf_wipe(&said->joined);
	buf_wipe(&said->systems);
	*said = (struct completion_said){ .messages = NULL };
}
