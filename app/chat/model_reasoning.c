/*
 * One machine over bytes: how the pieces were cut cannot matter.  Bytes that may be a marker's are
 * held; those that prove to be none go where their state says.  Text that nothing could be taken out
 * of is not held but only watched, since a closing mark without an opening one takes back what
 * precedes it, or, in a stream, is only remarked.
 */
#include "chat/model_reasoning.h"

#include <string.h>

#include "base/hot.h"
#include "base/swar.h"

#define OUT_CAP (16 << 20) /* a piece: an event's cap, mended */

void model_reasoning_init(struct model_reasoning *reasoning, size_t most)
{
	*reasoning = (struct model_reasoning){ .mode = MODEL_REASONING_REMOVE };
	buf_init(&reasoning->out, OUT_CAP);
	buf_init(&reasoning->withheld, most);
}

void model_reasoning_clear(struct model_reasoning *reasoning)
{
	buf_wipe(&reasoning->out);
	buf_wipe(&reasoning->withheld);
	memset(reasoning->held, 0, sizeof(reasoning->held));
}

void model_reasoning_reset(struct model_reasoning *reasoning)
{
	reasoning->at = REASONING_BEGINNING;
	reasoning->block = NULL;
	reasoning->n = 0;
	reasoning->before = '\0';
	buf_reset(&reasoning->out);
	buf_wipe(&reasoning->withheld);
	reasoning->handed = reasoning->take_back = reasoning->marked = false;
	reasoning->lone = reasoning->speaks = reasoning->untold = false;
}

/* True for text in which a closing mark would say that it was reasoning. */
static bool watched(const struct model_reasoning *reasoning)
{
	return reasoning->at == REASONING_WITHHELD ||
	       (reasoning->at == REASONING_TEXT && !reasoning->marked && !reasoning->lone &&
		!reasoning->speaks);
}

/* Bytes that are no marker's, or are only watched. */
static void pass(struct model_reasoning *reasoning, struct str bytes)
{
	if (reasoning->at == REASONING_TEXT)
		buf_str(&reasoning->out, bytes);
	else if (reasoning->at == REASONING_WITHHELD)
		buf_str(&reasoning->withheld, bytes);
}

static struct str held(const struct model_reasoning *reasoning)
{
	return (struct str){ reasoning->held, reasoning->n };
}

static void drop(struct model_reasoning *reasoning, size_t n)
{
	reasoning->before = reasoning->held[n - 1];
	reasoning->n -= n;
	memmove(reasoning->held, reasoning->held + n, reasoning->n);
}

static size_t spaces(struct str bytes)
{
	size_t n = 0;

	while (n < bytes.n && memchr(STR_SPACE.p, bytes.p[n], STR_SPACE.n))
		n++;
	return n;
}

/*
 * Where a block may open, behind white space. A closing mark here closes reasoning that is empty;
 * one that is all there is may be what was asked for.
 */
static struct marker at_opening(const struct model_reasoning *reasoning)
{
	bool behind = reasoning->at == REASONING_BEHIND;
	struct str bytes = held(reasoning);
	struct marker found = { MARKER_PART, 0, NULL };
	size_t space = spaces(bytes);

	bytes = str_skip(bytes, space);
	if (!bytes.n)
		return found;
	found = marker_open(bytes, behind);
	if (found.is == MARKER_NONE)
		found = marker_close(bytes, NULL);
	if (found.is == MARKER_CLOSE && !behind) {
		bytes = str_skip(bytes, found.n);
		if (spaces(bytes) == bytes.n)
			found.is = MARKER_PART;
	}
	found.n += space;
	return found;
}

/*
 * The closing mark of reasoning that began before the answer's first byte. One in quotes of whatever
 * kind is a word of the text, as the byte behind it tells. Text with an opening mark within speaks of
 * marks.
 */
static struct marker at_lone(const struct model_reasoning *reasoning)
{
	struct str bytes = held(reasoning);
	struct marker found = marker_close(bytes, NULL);

	if (found.is == MARKER_NONE) {
		found = reasoning->at == REASONING_TEXT ? marker_open(bytes, false)
							: marker_open_message(bytes);
		/* Of answers only harmony's says that what precedes it is none. */
		if (found.is == MARKER_OPEN &&
		    (found.block->answer ? found.block->open.p != NULL
					 : reasoning->at == REASONING_WITHHELD))
			found.is = MARKER_NONE;
	} else if (found.is == MARKER_CLOSE && memchr("`\"'", reasoning->before, 3)) {
		if (bytes.n > found.n && bytes.p[found.n] == reasoning->before)
			found.is = MARKER_NONE;
		else if (bytes.n == found.n)
			found.is = MARKER_PART;
	}
	return found;
}

/* The end of the answer's wrapping: with it ends the answer, or another block opens behind it. */
static struct marker at_wrapping(const struct model_reasoning *reasoning, bool end)
{
	struct str bytes = held(reasoning), rest;
	struct marker found = marker_close(bytes, reasoning->block);

	if (found.is != MARKER_CLOSE)
		return found;
	rest = str_skip(bytes, found.n);
	rest = str_skip(rest, spaces(rest));
	if (rest.n) {
		found = marker_open(rest, true);
		found.n += bytes.n - rest.n;
	} else {
		found.is = end ? MARKER_CLOSE : MARKER_PART;
		found.n = bytes.n;
	}
	return found;
}

/* The end of a hidden block; a message of harmony's also ends where the next one begins. */
static struct marker at_hidden(const struct model_reasoning *reasoning)
{
	struct marker found = marker_close(held(reasoning), reasoning->block);

	if (found.is == MARKER_NONE && !reasoning->block->open.p)
		found = marker_open_message(held(reasoning));
	return found;
}

static struct marker look(const struct model_reasoning *reasoning, bool end)
{
	struct marker found = { MARKER_NONE, 0, NULL };

	if (reasoning->at == REASONING_BEGINNING || reasoning->at == REASONING_BEHIND)
		found = at_opening(reasoning);
	else if (reasoning->at == REASONING_HIDDEN)
		found = at_hidden(reasoning);
	else if (watched(reasoning))
		found = at_lone(reasoning);
	else if (reasoning->block)
		found = at_wrapping(reasoning, end);
	if (found.is == MARKER_PART && (end || reasoning->n == sizeof(reasoning->held)))
		found.is = MARKER_NONE;
	return found;
}

/* What is held is no marker: the answer begins here, or its next byte is text. */
static void be_text(struct model_reasoning *reasoning)
{
	if (reasoning->at == REASONING_BEGINNING || reasoning->at == REASONING_BEHIND) {
		reasoning->at = REASONING_TEXT;
		if (reasoning->mode == MODEL_REASONING_BEGINS && !reasoning->marked)
			reasoning->at = REASONING_WITHHELD;
		if (watched(reasoning))
			pass(reasoning, held(reasoning));
		return;
	}
	if (!watched(reasoning))
		pass(reasoning, (struct str){ reasoning->held, 1 });
	drop(reasoning, 1);
}

/*
 * What came was reasoning, as this mark behind it tells. False: it has gone on, and nobody can take it
 * back, or the mark does not tell that.
 */
static bool take_back(struct model_reasoning *reasoning, struct marker found)
{
	reasoning->speaks = found.is == MARKER_OPEN && !found.block->answer;
	reasoning->lone = !reasoning->speaks;
	if (reasoning->at == REASONING_TEXT && (reasoning->speaks || !reasoning->whole))
		return false;
	buf_wipe(&reasoning->withheld);
	buf_reset(&reasoning->out);
	reasoning->take_back = reasoning->handed;
	reasoning->handed = false;
	return true;
}

static void take_marker(struct model_reasoning *reasoning, struct marker found)
{
	if (watched(reasoning) && !take_back(reasoning, found)) {
		reasoning->n = 0;
		return;
	}
	if (reasoning->at == REASONING_BEGINNING && found.is == MARKER_CLOSE)
		reasoning->lone = true;
	drop(reasoning, found.n);
	reasoning->marked = true;
	reasoning->block = found.is == MARKER_OPEN ? found.block : NULL;
	reasoning->at =
		reasoning->block && !reasoning->block->answer ? REASONING_HIDDEN : REASONING_BEHIND;
}

/* Decides on what is held, as far as it can be decided; at the answer's end all of it can. */
static void settle(struct model_reasoning *reasoning, bool end)
{
	struct marker found;

	for (;;) {
		if (reasoning->at == REASONING_BEHIND && spaces(held(reasoning)))
			drop(reasoning, spaces(held(reasoning)));
		if (!reasoning->n)
			return;
		found = look(reasoning, end);
		if (found.is == MARKER_PART)
			return;
		if (found.is == MARKER_NONE)
			be_text(reasoning);
		else
			take_marker(reasoning, found);
	}
}

/* How many of the bytes cannot be a marker's; only where none is held. */
static HOT size_t plain(const struct model_reasoning *reasoning, struct str text)
{
	size_t n;

	if (reasoning->at == REASONING_BEGINNING || reasoning->at == REASONING_BEHIND)
		return 0;
	if (reasoning->at == REASONING_TEXT && !watched(reasoning) && !reasoning->block)
		return text.n;
	n = swar_skip(text.p, 0, text.n, marker_firsts);
	while (n < text.n && !marker_first(text.p[n]))
		n++;
	return n;
}

static HOT enum status hand_on(struct model_reasoning *reasoning, struct str text,
			       model_text_fn sink, void *context)
{
	enum status status = STATUS_OK;

	if (reasoning->take_back) {
		reasoning->take_back = false;
		status = sink(context, STR_NONE);
	}
	if (status || !text.n)
		return status;
	reasoning->handed = true;
	return sink(context, text);
}

HOT enum status model_reasoning_feed(struct model_reasoning *reasoning, struct str text,
				     model_text_fn sink, void *context)
{
	size_t n;

	if (reasoning->mode == MODEL_REASONING_KEEP)
		return hand_on(reasoning, text, sink, context);
	if (reasoning->at == REASONING_TEXT && !reasoning->n && text.n &&
	    plain(reasoning, text) == text.n) {
		/* Most of an answer: it goes on as it lies. */
		reasoning->before = text.p[text.n - 1];
		return hand_on(reasoning, text, sink, context);
	}
	buf_reset(&reasoning->out);
	while (text.n) {
		n = reasoning->n ? 0 : plain(reasoning, text);
		if (n) {
			pass(reasoning, (struct str){ text.p, n });
			reasoning->before = text.p[n - 1];
		} else {
			n = 1;
			if (watched(reasoning))
				pass(reasoning, (struct str){ text.p, 1 });
			reasoning->held[reasoning->n++] = *text.p;
			settle(reasoning, false);
		}
		text = str_skip(text, n);
	}
	if (buf_check(&reasoning->out))
		return STATUS_NOMEM;
	return hand_on(reasoning, buf_view(&reasoning->out), sink, context);
}

enum status model_reasoning_end(struct model_reasoning *reasoning, bool cut, model_text_fn sink,
				void *context)
{
	enum status status;

	cut = cut && !reasoning->learned;
	buf_reset(&reasoning->out);
	if (reasoning->at == REASONING_BEGINNING && reasoning->mode == MODEL_REASONING_REMOVE) {
		/* Nothing followed that would have made it a marker. */
		be_text(reasoning);
		reasoning->n = 0;
	}
	settle(reasoning, true);
	status = buf_check(&reasoning->out);
	if (status == STATUS_OK && reasoning->at == REASONING_WITHHELD && !cut) {
		status = buf_check(&reasoning->withheld);
		reasoning->untold = true;
		buf_str(&reasoning->out, buf_view(&reasoning->withheld));
	}
	reasoning->marked |= reasoning->at == REASONING_WITHHELD && cut;
	return status ? status : hand_on(reasoning, buf_view(&reasoning->out), sink, context);
}

bool model_reasoning_only(const struct model_reasoning *reasoning)
{
	return reasoning->marked && !reasoning->handed;
}
