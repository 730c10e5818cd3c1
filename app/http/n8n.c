/*
 * @n8n/chat, a widget for pages: it asks for what was said when it opens, and sends one message a time.
 * Its events are named as n8n's own workflows name theirs, of which it takes us for one with one node.
 */
#include "http/n8n.h"

#include "base/clock.h"
#include "base/hot.h"
#include "chat/talks.h"
#include "http/exchange.h"
#include "http/front_end.h"
#include "http/reply.h"
#include "http/talks.h"
#include "http/visitor.h"

struct n8n {
	int64_t began; /* ms since 1970 */
	unsigned tail_n;
	char tail[144]; /* of each event of the answer, behind its own members */
};
_Static_assert(sizeof(struct n8n) <= DIALECT_STATE, "it does not fit");

/* What was said, as the classes of its own library have it. */
static void put_session(struct buf *out, const struct json *said)
{
	struct json_node messages = { NULL };
	struct str role, text;
	struct frame frame;
	size_t i;

	if (said)
		messages = json_member(json_root(said), "messages");
	frame_begin(&frame, out, FRAME_JSON);
	frame_open_array(&frame, "data");
	for (i = 0; i < json_length(messages); i++) {
		if (!json_get_string(json_member(json_element(messages, i), "role"), &role) ||
		    !json_get_string(json_member(json_element(messages, i), "text"), &text) ||
		    !text.n)
			continue;
		frame_open_element(&frame);
		frame_raw(&frame, "id",
			  str_equal(role, STR("user")) ? STR("[\"banter\",\"HumanMessage\"]")
						       : STR("[\"banter\",\"AIMessage\"]"));
		frame_open(&frame, "kwargs");
		frame_string(&frame, "content", text);
		frame_close(&frame);
		frame_close(&frame);
	}
	frame_close_array(&frame);
	frame_end(&frame);
}

/* Takes the place of `read->body`, which it is made of (absent: nothing was said); `out` holds it. */
static enum status make_session(struct talks_read *read, struct buf *out)
{
	struct json *said = NULL;
	enum status status = STATUS_OK;

	buf_init(out, read->body.n * 6 + 64); /* each character escaped */
	if (read->body.p)
		status = json_parse(read->body, &said);
	if (!status) {
		put_session(out, said);
		status = buf_check(out);
	}
	if (!status)
		read->body = buf_view(out);
	json_free(said);
	return status;
}

/* Who has no token yet, from a page that may ask, has said nothing. */
static bool is_new(const struct talks_reader *reader, const struct talks_read *read)
{
	return read->outcome == TALKS_NO_VISITOR && reader->visitor.minted;
}

static void load_session(struct exchange *exchange)
{
	struct http_context *context = exchange->context;
	struct talks_reader reader = {
		.key = exchange->turn.begin.key,
		.chatbot = exchange->turn.begin.chatbot,
		.session = exchange->bad ? STR_NONE : exchange->turn.begin.session,
	};
	struct talks_read read;
	enum status status;
	struct buf out;

	buf_init(&out, 0);
	if (reader.key.kind == KEY_SITE)
		visitor_read(exchange->request, &reader.visitor, exchange->token);
	status = talks_messages(context->db, context->wait, context->config, &reader, STR_NONE,
				STR_NONE, &read);
	if (!status && is_new(&reader, &read))
		read.outcome = reader.session.p ? TALKS_FOUND : TALKS_BAD_REQUEST;
	if (!status && read.outcome == TALKS_FOUND)
		status = make_session(&read, &out);
	talks_say(context, exchange->request, exchange->reply, status, &read);
	talks_read_clear(&read);
	buf_wipe(&out);
}

static void read_members(struct exchange *exchange, const struct route_match *match)
{
	struct str action = exchange_text(exchange, "action");

	(void)match;
	front_end_read_names(exchange, exchange_text(exchange, "sessionId"));
	if (str_equal(action, STR("loadPreviousSession"))) {
		exchange->instead = load_session;
		return;
	}
	if (!str_equal(action, STR("sendMessage")))
		exchange->bad = true;
	exchange_take_message(exchange, exchange_text(exchange, "chatInput"));
	exchange->turn.begin.stream = front_end_accepts(exchange->request, "text/plain");
}

/* `run`: the answer is one; what is of another stands apart from it. */
static void put_tail(struct buf *out, const struct n8n *n8n, int run)
{
	buf_printf(out,
		   ",\"metadata\":{\"nodeId\":\"banter\",\"nodeName\":\"banter\",\"itemIndex\":0,"
		   "\"runIndex\":%d,\"timestamp\":%lld}}\n",
		   run, (long long)n8n->began);
}

/* What is the same in each event is made once. */
static void make_tail(struct n8n *n8n)
{
	struct buf tail;

	n8n->began = clock_wall_ms();
	buf_init_in(&tail, n8n->tail, sizeof(n8n->tail), sizeof(n8n->tail) - 1);
	put_tail(&tail, n8n, 0);
	n8n->tail_n = (unsigned)tail.len;
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	struct n8n *n8n = state;

	switch (event->kind) {
	case EVENT_START:
		make_tail(n8n);
		buf_puts(out, "{\"type\":\"begin\"");
		break;
	case EVENT_TOKEN:
		buf_puts(out, "{\"type\":\"item\",\"content\":");
		frame_quote(out, event->text);
		break;
	case EVENT_DONE:
		buf_puts(out, "{\"type\":\"end\"");
		break;
	case EVENT_ERROR:
		buf_puts(out, "{\"type\":\"error\",\"content\":");
		frame_quote(out, str_from(error_words(ERROR_INTERNAL)));
		put_tail(out, n8n, 1);
		return;
	}
	buf_append(out, n8n->tail, n8n->tail_n);
}

static void put_answer(struct buf *out, void *state, const struct event *event)
{
	(void)state;
	frame_one(out, FRAME_JSON, "output", event->text);
}

/* A widget that does not stream looks at no status: it shows the member as what was answered. */
static void put_error(struct buf *out, enum http_error error, int64_t retry_s)
{
	(void)retry_s;
	frame_one(out, FRAME_JSON, "message", str_from(error_words(error)));
}

const struct dialect dialect_n8n = {
	.name = "n8n",
	FRONT_END_ROW,
	.read = read_members,
	.stream_type = "application/x-ndjson",
	.put_event = put_event,
	.beat = FRAME_NDJSON_BEAT,
	.answer_type = "application/json",
	.put_answer = put_answer,
	.error_type = "application/json",
	.put_error = put_error,
};
