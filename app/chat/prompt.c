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

/* Of what is stored an exchange is told or left out as one, of what a client sends a message. */
static int step_of(const struct prompt *prompt)
{
	return prompt->said ? 1 : 2;
}

static int count_of(const struct prompt *prompt)
{
	return prompt->said ? (int)prompt->said_count : store_history_count(prompt->begun) / 2 * 2;
}

static struct str text_of(const struct prompt *prompt, int index, bool *assistant)
{
	struct str text;

	if (prompt->said) {
		*assistant = prompt->said[index].assistant;
		return prompt->said[index].text;
	}
	store_history(prompt->begun, index, assistant, &text);
	return text;
}

/*
 * Of what stands at `index`: true if all of it has a text. Strict servers refuse a request with a
 * blank message, so one that is stored would stop its conversation for good.
 */
static bool is_told(const struct prompt *prompt, int index)
{
	bool assistant;
	int i;

	for (i = 0; i < step_of(prompt); i++)
		if (utf8_blank(text_of(prompt, index + i, &assistant)))
			return false;
	return true;
}

static int64_t bytes_of(const struct prompt *prompt, int index)
{
	int64_t bytes = 0;
	bool assistant;
	int i;

	for (i = 0; i < step_of(prompt); i++)
		bytes += (int64_t)text_of(prompt, index + i, &assistant).n;
	return bytes;
}

static int64_t chars_of(const struct prompt *prompt, int index)
{
	size_t chars, sum = 0;
	bool assistant;
	int i;

	for (i = 0; i < step_of(prompt); i++) {
		chars = 0;
		(void)utf8_valid(text_of(prompt, index + i, &assistant), &chars);
		sum += chars;
	}
	return (int64_t)sum;
}

/* Of those that are told: how many messages they are, and *bytes. */
static int told_of_all(const struct prompt *prompt, int64_t *bytes)
{
	int step = step_of(prompt), count = 0, i;

	*bytes = 0;
	for (i = 0; i < count_of(prompt); i += step) {
		if (!is_told(prompt, i))
			continue;
		*bytes += bytes_of(prompt, i);
		count += step;
	}
	return count;
}

/*
 * Takes the newest that fit, up to the first that does not. How many messages that are; *from: where
 * they begin. The database has kept to the settings already, so nothing is counted as long as they are
 * the budget.
 */
static int take_history(const struct prompt *prompt, struct prompt_budget *left, int *from)
{
	int64_t bytes;
	int told = told_of_all(prompt, &bytes), step = step_of(prompt), kept = 0, at;
	bool assistant;

	*from = 0;
	if (take(left, told, bytes))
		return told;
	for (at = count_of(prompt) - step; at >= 0; at -= step) {
		if (!is_told(prompt, at))
			continue;
		if (!take(left, step, chars_of(prompt, at)))
			break;
		kept += step;
	}
	for (*from = at + step; *from < count_of(prompt); ++*from) {
		(void)text_of(prompt, *from, &assistant);
		if (!assistant)
			break;
		kept -= is_told(prompt, *from);
	}
	return kept;
}

static void put_history(const struct prompt *prompt, struct prompt_budget *left,
			struct model *model)
{
	int step = step_of(prompt), from, i;
	struct str text;
	bool assistant;

	(void)take_history(prompt, left, &from);
	for (i = from; i < count_of(prompt); i++) {
		if (!is_told(prompt, i / step * step))
			continue;
		text = text_of(prompt, i, &assistant);
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

int prompt_history(const struct prompt *prompt, int64_t *chars)
{
	struct prompt_budget left = prompt->budget;
	int from, kept = take_history(prompt, &left, &from);

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

	if (!prompt->halved || prompt->said)
		return -1;
	return take_history(prompt, &left, &from) ? store_history_position(prompt->begun, from)
						  : prompt->begun->position;
}
