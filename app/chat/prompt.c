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
	if (prompt->begun->system_prompt.n)
		model_message(model, MODEL_SYSTEM, prompt->begun->system_prompt);
}

static int64_t chars_of(const struct store_begun *begun, int index)
{
	struct str text;
	bool assistant;
	size_t chars = 0;

	store_history(begun, index, &assistant, &text);
	(void)utf8_valid(text, &chars);
	return (int64_t)chars;
}

static int64_t bytes_of_all(const struct store_begun *begun)
{
	int64_t bytes = 0;
	struct str text;
	bool assistant;
	int i;

	for (i = 0; i < store_history_count(begun); i++) {
		store_history(begun, i, &assistant, &text);
		bytes += (int64_t)text.n;
	}
	return bytes;
}

/*
 * How many of the newest messages fit: whole exchanges, of two each, up to the first that does not.
 * The database has kept to the settings already, so nothing is counted as long as they are the
 * budget.
 */
static int take_history(const struct store_begun *begun, struct prompt_budget *left)
{
	int count = store_history_count(begun), kept = 0;

	if (take(left, count, bytes_of_all(begun)))
		return count;
	while (kept + 2 <= count &&
	       take(left, 2, chars_of(begun, count - kept - 1) + chars_of(begun, count - kept - 2)))
		kept += 2;
	return kept;
}

static void put_history(const struct prompt *prompt, struct prompt_budget *left,
			struct model *model)
{
	int count = store_history_count(prompt->begun), i;
	struct str text;
	bool assistant;

	for (i = count - take_history(prompt->begun, left); i < count; i++) {
		store_history(prompt->begun, i, &assistant, &text);
		model_message(model, assistant ? MODEL_ASSISTANT : MODEL_USER, text);
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

bool prompt_halve(struct prompt *prompt)
{
	struct prompt_budget left = prompt->budget;
	int kept = take_history(prompt->begun, &left);

	if (kept <= 0)
		return false;
	prompt->budget.messages = kept / 4 * 2;
	return true;
}
