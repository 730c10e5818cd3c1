/* The parts of a prompt, in the order in which a model reads them. */
#include "chat/prompt.h"

#include "base/count.h"
#include "wire/utf8.h"

/* Takes a share, or leaves all as it is. */
static bool take(struct prompt_budget *left, int64_t messages, int64_t chars)
{
	if (messages > left->messages || chars > left->chars)
		return false;
	left->messages -= messages;
	left->chars -= chars;
	return true;
}

static void put_system(const struct prompt *prompt, struct prompt_budget *left, struct model *model)
{
	(void)left;
	if (!utf8_blank(prompt->begun->system_prompt))
		model_message(model, MODEL_SYSTEM, prompt->begun->system_prompt);
}

static struct str text_of(const struct store_begun *begun, int index)
{
	struct str text;
	bool assistant;

	store_history(begun, index, &assistant, &text);
	return text;
}

/*
 * Of the exchange whose question stands at `index`: true if both have a text. Strict servers refuse
 * a request with a blank message, so one that is stored would stop its conversation for good.
 */
static bool is_told(const struct store_begun *begun, int index)
{
	return !utf8_blank(text_of(begun, index)) && !utf8_blank(text_of(begun, index + 1));
}

static int64_t chars_of(const struct store_begun *begun, int index)
{
	size_t chars = 0;

	(void)utf8_valid(text_of(begun, index), &chars);
	return (int64_t)chars;
}

/* Of those that are told: how many messages they are, and *bytes. */
static int told_of_all(const struct store_begun *begun, int64_t *bytes)
{
	int count = 0, i;

	*bytes = 0;
	for (i = 0; i + 2 <= store_history_count(begun); i += 2) {
		if (!is_told(begun, i))
			continue;
		*bytes += (int64_t)(text_of(begun, i).n + text_of(begun, i + 1).n);
		count += 2;
	}
	return count;
}

/*
 * Takes the newest exchanges that fit: whole ones, of two messages each, up to the first that does
 * not. How many messages that are; *from: where they begin. The database has kept to the settings
 * already, so nothing is counted as long as they are the budget.
 */
static int take_history(const struct store_begun *begun, struct prompt_budget *left, int *from)
{
	int64_t bytes;
	int told = told_of_all(begun, &bytes), kept = 0, at;

	*from = 0;
	if (take(left, told, bytes))
		return told;
	for (at = store_history_count(begun) - 2; at >= 0; at -= 2) {
		if (!is_told(begun, at))
			continue;
		if (!take(left, 2, chars_of(begun, at) + chars_of(begun, at + 1)))
			break;
		kept += 2;
	}
	*from = at + 2;
	return kept;
}

static void put_told(const struct store_begun *begun, int index, struct model *model)
{
	struct str text;
	bool assistant;

	store_history(begun, index, &assistant, &text);
	model_message(model, assistant ? MODEL_ASSISTANT : MODEL_USER, text);
}

static void put_history(const struct prompt *prompt, struct prompt_budget *left,
			struct model *model)
{
	const struct store_begun *begun = prompt->begun;
	int i;

	(void)take_history(begun, left, &i);
	for (; i + 2 <= store_history_count(begun); i += 2) {
		if (!is_told(begun, i))
			continue;
		put_told(begun, i, model);
		put_told(begun, i + 1, model);
	}
}

static void put_message(const struct prompt *prompt, struct prompt_budget *left,
			struct model *model)
{
	(void)left;
	model_message(model, MODEL_USER, prompt->message);
}

/* `left`: what of the budget the parts before have left. */
typedef void (*prompt_part_fn)(const struct prompt *prompt, struct prompt_budget *left,
			       struct model *model);

static const prompt_part_fn parts[] = { put_system, put_history, put_message };

void prompt_put(const struct prompt *prompt, struct model *model)
{
	struct prompt_budget left = prompt->budget;
	size_t i;

	for (i = 0; i < COUNT(parts); i++)
		parts[i](prompt, &left, model);
}

int prompt_history(const struct prompt *prompt, int64_t *chars)
{
	struct prompt_budget left = prompt->budget;
	int from, kept = take_history(prompt->begun, &left, &from);

	*chars = prompt->budget.chars - left.chars;
	return kept;
}

bool prompt_halve(struct prompt *prompt)
{
	int64_t chars;
	int kept = prompt_history(prompt, &chars);

	if (kept <= 0)
		return false;
	prompt->budget.messages = kept / 4 * 2;
	prompt->halved = true;
	return true;
}

int64_t prompt_from(const struct prompt *prompt)
{
	struct prompt_budget left = prompt->budget;
	int from;

	if (!prompt->halved)
		return -1;
	return take_history(prompt->begun, &left, &from)
		       ? store_history_position(prompt->begun, from)
		       : prompt->begun->position;
}
