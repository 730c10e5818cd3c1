/*
 * The table, and OpenAI's harmony format, whose markers hold words of their own.  Each row is what
 * some server was seen to send in an answer's content: a parser of its own is what it lacked.  Not
 * here: Granite's plain sentences ("Here is my thought process:"), which any answer may begin with.
 */
#include "chat/model_markers.h"

#include <string.h>

#include "base/count.h"

#define START STR("<|start|>assistant")
#define CHANNEL STR("<|channel|>")
#define MESSAGE STR("<|message|>")
#define HEADER_MOST 128 /* bytes; a longer one is none */

static const struct marker_block blocks[] = {
	/* DeepSeek, Qwen, QwQ, GLM, MiniMax, Nemotron, Hunyuan, ERNIE, Phi-4 and most others */
	{ STR("<think>"), { STR("</think>") }, false },
	{ STR("<thinking>"), { STR("</thinking>") }, false },
	{ STR("<thought>"), { STR("</thought>") }, false }, /* EXAONE Deep, Gemini's bridge */
	{ STR("<Thought>"), { STR("</Thought>") }, false },
	{ STR("<reason>"), { STR("</reason>") }, false },
	{ STR("<reasoning>"), { STR("</reasoning>") }, false },
	{ STR("<seed:think>"), { STR("</seed:think>") }, false },	       /* Seed-OSS */
	{ STR("[THINK]"), { STR("[/THINK]") }, false },			       /* Magistral */
	{ STR("\u25c1think\u25b7"), { STR("\u25c1/think\u25b7") }, false },    /* Kimi */
	{ STR("<|begin_of_thought|>"), { STR("<|end_of_thought|>") }, false }, /* Sky-T1 */
	{ STR("<|START_THINKING|>"), { STR("<|END_THINKING|>") }, false },     /* Cohere */
	{ STR("<|channel>thought"), { STR("<channel|>") }, false },	       /* Gemma 4 */
	{ STR("<unused94>thought"), { STR("<unused95>") }, false },	       /* MedGemma */
	/* What the answer behind it is wrapped in. */
	{ STR("<answer>"), { STR("</answer>") }, true },     /* Hunyuan */
	{ STR("<response>"), { STR("</response>") }, true }, /* ERNIE */
	{ STR("<|begin_of_solution|>"), { STR("<|end_of_solution|>") }, true },
	{ STR("<|START_RESPONSE|>"), { STR("<|END_RESPONSE|>") }, true },
};

/* OpenAI's "harmony response format" (gpt-oss); its messages open with a header. */
#define HARMONY_ENDS                                                                               \
	{                                                                                          \
		STR("<|end|>"), STR("<|return|>"), STR("<|call|>")                                 \
	}
static const struct marker_block harmony_hidden = { STR_NONE, HARMONY_ENDS, false };
static const struct marker_block harmony_final = { STR_NONE, HARMONY_ENDS, true };

static enum marker_is compare(struct str bytes, struct str mark)
{
	size_t n = bytes.n < mark.n ? bytes.n : mark.n;

	if (memcmp(bytes.p, mark.p, n) != 0)
		return MARKER_NONE;
	return n == mark.n ? MARKER_OPEN : MARKER_PART;
}

/* Of two, what says more. */
static void prefer(struct marker *found, struct marker other)
{
	if (other.is == MARKER_OPEN || (other.is == MARKER_PART && found->is == MARKER_NONE))
		*found = other;
}

/*
 * [<|start|>assistant …]<|channel|>NAME …<|message|>, where … may name a recipient and a type
 * ("to=functions.x", "<|constrain|>json"); without a channel it is the final one.
 */
struct marker marker_open_message(struct str bytes)
{
	static const struct {
		struct str name;
		const struct marker_block *block;
	} channels[] = {
		{ STR("analysis"), &harmony_hidden },
		{ STR("commentary"), &harmony_hidden },
		{ STR("final"), &harmony_final },
	};
	struct marker found = { MARKER_NONE, 0, &harmony_final };
	struct str rest = bytes, header = str_cut(&rest, MESSAGE), name = header;
	bool whole = header.n < bytes.n;
	size_t i;

	found.n = bytes.n - rest.n;
	prefer(&found, (struct marker){ compare(header, START), found.n, found.block });
	prefer(&found, (struct marker){ compare(header, CHANNEL), found.n, found.block });
	if (found.is != MARKER_OPEN)
		return found;
	found.is = whole ? MARKER_OPEN : bytes.n < HEADER_MOST ? MARKER_PART : MARKER_NONE;
	(void)str_cut(&name, CHANNEL);
	if (!memmem(header.p, header.n, CHANNEL.p, CHANNEL.n))
		return found;
	for (i = 0; i < COUNT(channels); i++) {
		enum marker_is is = compare(name, channels[i].name);

		found.block = channels[i].block;
		if (is == MARKER_OPEN || (is == MARKER_PART && !whole))
			return found;
	}
	found.is = MARKER_NONE;
	return found;
}

struct marker marker_open(struct str bytes, bool behind)
{
	struct marker found = marker_open_message(bytes);
	size_t i;

	for (i = 0; i < COUNT(blocks); i++)
		/* Words of an ordinary answer may be <answer>; a special token is none. */
		if (!blocks[i].answer || behind || str_starts(blocks[i].open, STR("<|")))
			prefer(&found, (struct marker){ compare(bytes, blocks[i].open),
							blocks[i].open.n, &blocks[i] });
	return found;
}

static void close_one(struct marker *found, struct str bytes, const struct marker_block *block)
{
	size_t i;

	for (i = 0; i < COUNT(block->close) && block->close[i].p; i++)
		prefer(found, (struct marker){ compare(bytes, block->close[i]), block->close[i].n,
					       block });
}

struct marker marker_close(struct str bytes, const struct marker_block *block)
{
	struct marker found = { MARKER_NONE, 0, NULL };
	size_t i;

	if (block)
		close_one(&found, bytes, block);
	for (i = 0; i < COUNT(blocks) && !block; i++)
		if (!blocks[i].answer)
			close_one(&found, bytes, &blocks[i]);
	if (found.is == MARKER_OPEN)
		found.is = MARKER_CLOSE;
	return found;
}
