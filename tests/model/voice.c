/*
 * The stand-in's own voice.
 */
#include "voice.h"

#include <json-c/json.h>
#include <string.h>

enum {
	QUOTE_CHARACTERS = 200,
	TOKEN_CHARACTERS = 16, /* a longer word is said in several tokens */
};

/* What an answer tells about the messages before the last user's. */
struct history {
	size_t earlier;
	bool system;
	struct text first_user;
};

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* One past the character at `at`. Stray continuation bytes belong to what they follow. */
static size_t next_character(const struct text *text, size_t at)
{
	for (at++; at < text->len && continues(text->data[at]); at++)
		;
	return at;
}

static void add_quote(struct text *out, const struct text *quoted)
{
	size_t end = 0;

	for (int i = 0; i < QUOTE_CHARACTERS && end < quoted->len; i++)
		end = next_character(quoted, end);
	text_puts(out, "“");
	text_add(out, quoted->data, end);
	text_puts(out, end < quoted->len ? "…”" : "”");
}

static void look_back(struct history *history, const struct ask *ask)
{
	size_t count = json_object_array_length(ask->messages), users = 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *message = json_object_array_get_idx(ask->messages, i);
		const char *role = ask_role(message);

		if (strcmp(role, "system") == 0 || strcmp(role, "developer") == 0) {
			history->system = true;
			continue;
		}
		history->earlier++;
		if (strcmp(role, "user") == 0 && users++ == 0)
			ask_text(message, &history->first_user);
	}
	if (history->earlier > 0)
		history->earlier--;
	if (users < 2)
		text_reset(&history->first_user);
}

static void compose(struct text *out, const struct ask *ask, const struct history *history)
{
	text_puts(out, "This is the stand-in model: no AI, I only repeat. You said: ");
	add_quote(out, &ask->last_user);
	text_puts(out, ". ");
	if (history->earlier == 0)
		text_puts(out, "Nothing came before that.");
	else
		text_printf(out, "Before that I saw %zu earlier message%s", history->earlier,
			    history->earlier == 1 ? "" : "s");
	if (history->first_user.len != 0) {
		text_puts(out, "; your first was ");
		add_quote(out, &history->first_user);
	}
	if (history->earlier != 0)
		text_puts(out, ".");
	text_puts(out, history->system ? " A system prompt came with it."
				       : " No system prompt came with it.");
}

/* Scripts without spaces, U+2E80 to U+D7FF, come character by character. */
static bool stands_alone(const char *character)
{
	const unsigned char *c = (const unsigned char *)character;

	return (c[0] == 0xe2 && c[1] >= 0xba) || (c[0] >= 0xe3 && c[0] <= 0xed);
}

static size_t token_end(const struct text *text, size_t at)
{
	for (int i = 0; i < TOKEN_CHARACTERS && at < text->len; i++) {
		size_t from = at;

		at = next_character(text, at);
		if (text->data[from] == ' ' || text->data[from] == '\n' ||
		    stands_alone(text->data + from))
			break;
	}
	return at;
}

/* NULL: no memory. */
static struct json_object *split(const struct text *text, int64_t max_tokens, const char **finish)
{
	struct json_object *tokens = json_object_new_array();
	size_t at = 0;

	*finish = "stop";
	for (int64_t count = 0; at < text->len; count++) {
		size_t end = token_end(text, at);
		struct json_object *token;

		if (count == max_tokens) {
			*finish = "length";
			break;
		}
		token = json_object_new_string_len(text->data + at, (int)(end - at));
		if (token == NULL || json_object_array_add(tokens, token) != 0) {
			json_object_put(token);
			json_object_put(tokens);
			return NULL;
		}
		at = end;
	}
	return tokens;
}

enum status voice_speak(struct script *script, const struct ask *ask, int64_t delay)
{
	struct history history = { 0 };
	struct text answer = { 0 };
	struct json_object *tokens;
	const char *finish;
	enum status status = STATUS_NO_MEMORY;

	look_back(&history, ask);
	compose(&answer, ask, &history);
	if (!text_ok(&answer))
		goto out;
	tokens = split(&answer, ask->max_tokens, &finish);
	if (tokens == NULL)
		goto out;
	status = script_from_tokens(script, tokens, finish);
	script->delay = delay;
out:
	text_clear(&answer);
	text_clear(&history.first_user);
	return status;
}
