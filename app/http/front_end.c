/* Front ends' requests. Not for what is told them, in which no two are alike. */
#include "http/front_end.h"

#include "base/count.h"
#include "http/bearer.h"
#include "http/headless.h"
#include "http/request.h"
#include "wire/utf8.h"

enum http_error front_end_read_key(const struct request *request, struct str *text)
{
	*text = request_header(request, "HTTP_X_API_KEY");
	if (!text->p)
		return bearer_read(request, text);
	return text->n ? ERROR_NONE : ERROR_NO_KEY;
}

struct str front_end_chatbot(const struct request *request)
{
	return exchange_chatbot(request_header(request, "HTTP_X_CHATBOT_ID"));
}

/* Of what a name may have, encodeURIComponent() writes the colon otherwise. */
struct str front_end_name(const struct route_match *match, char room[FRONT_END_NAME + 1])
{
	struct str text = route_variable(match, "session"), name = { room, 0 };
	bool colon;

	while (text.n && name.n <= FRONT_END_NAME) {
		colon = text.n >= 3 && str_same((struct str){ text.p, 3 }, STR("%3A"));
		room[name.n++] = colon ? ':' : text.p[0];
		text = str_skip(text, colon ? 3 : 1);
	}
	return headless_session_valid(name) ? name : STR_NONE;
}

void front_end_read_names(struct exchange *exchange, struct str session)
{
	struct store_exchange *begin = &exchange->turn.begin;

	headless_take_session(exchange, session);
	if (begin->key.kind != KEY_WORKSPACE)
		return; /* a site's and a widget's are one chatbot's: who sends them names none */
	begin->chatbot = front_end_chatbot(exchange->request);
	begin->completion = begin->chatbot.p;
	exchange->bad |= !begin->chatbot.p;
}

bool front_end_accepts(const struct request *request, const char *type)
{
	return str_holds(request_header(request, "HTTP_ACCEPT"), str_from(type));
}

bool front_end_is_users(struct json_node message)
{
	struct str role;

	return json_get_string(json_member(message, "role"), &role) && str_equal(role, STR("user"));
}

/* Each front end has its name for what is said. */
static struct json_node content_of(struct json_node message)
{
	static const char *const names[] = { "parts", "content", "text" };
	struct json_node content = { NULL };
	size_t i;

	for (i = 0; i < COUNT(names) && json_type_of(content) == JSON_ABSENT; i++)
		content = json_member(message, names[i]);
	return content;
}

void front_end_read_question(struct exchange *exchange, struct json_node messages, size_t count)
{
	struct json_node message = { NULL };
	struct str text = STR_NONE;

	while (count && !front_end_is_users(message))
		message = json_element(messages, --count);
	if (front_end_is_users(message) &&
	    completion_text(content_of(message), &exchange->said.joined, &text)) {
		exchange->failed = true;
		return;
	}
	exchange_take_message(exchange, text);
}
