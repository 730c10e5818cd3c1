/*
 * Server-sent events: lines out of bytes, events out of lines.  A whole line is read where it
 * lies; only a cut one is copied.
 */
#include "wire/sse.h"

#include "base/hot.h"

void sse_init(struct sse *sse, size_t cap)
{
	*sse = (struct sse){ .has_data = false };
	buf_init(&sse->line, cap);
	buf_init(&sse->data, cap);
	buf_init(&sse->type, cap);
}

void sse_init_objects(struct sse *sse, size_t cap)
{
	sse_init(sse, cap);
	sse->objects = true;
}

void sse_clear(struct sse *sse)
{
	size_t cap = sse->line.cap;
	bool objects = sse->objects;

	buf_clear(&sse->line);
	buf_clear(&sse->data);
	buf_clear(&sse->type);
	sse_init(sse, cap);
	sse->objects = objects;
}

static HOT void begin_event(struct sse *sse)
{
	buf_reset(&sse->data);
	buf_reset(&sse->type);
	sse->has_data = sse->bare = false;
	sse->object = (struct sse_object){ .begun = false };
}

static HOT enum status give_event(struct sse *sse, sse_event_fn event, void *context)
{
	enum status status = STATUS_OK;

	if (sse->has_data)
		status = event(context, buf_view(&sse->type), buf_view(&sse->data));
	begin_event(sse);
	return status;
}

static void follow(struct sse_object *object, char c)
{
	if (object->string) {
		object->string = object->escaped || c != '"';
		object->escaped = !object->escaped && c == '\\';
	} else if (c == '"') {
		object->string = true;
	} else if (c == '{' || c == '[') {
		object->depth++;
	} else if ((c == '}' || c == ']') && object->depth) {
		object->depth--;
	}
}

static bool begins_object(struct str line)
{
	while (line.n && (*line.p == ' ' || *line.p == '\t' || *line.p == '\r' || *line.p == '\n'))
		line = str_skip(line, 1);
	return line.n && *line.p == '{';
}

/* True if nothing that belongs to the event's data can come any more: see sse_init_objects(). */
static bool is_whole(struct sse *sse, struct str line)
{
	struct sse_object *object = &sse->object;
	struct str text = str_trim(line, STR_SPACE);
	size_t i;

	if (!object->begun && text.n) {
		object->begun = true;
		object->is = *text.p == '{';
	}
	if (!object->is)
		return object->begun && !sse->type.len;
	for (i = 0; i < line.n; i++)
		follow(object, line.p[i]);
	return !object->depth;
}

/* All data of an event that ends behind this line: nothing is copied, and nothing looked at. */
static HOT enum status give_line(struct sse *sse, struct str value, sse_event_fn event,
				 void *context)
{
	enum status status = event(context, buf_view(&sse->type), value);

	begin_event(sse);
	return status;
}

static HOT enum status take_data(struct sse *sse, struct str value, sse_event_fn event,
				 void *context)
{
	if (sse->last && !sse->has_data && !sse->bare)
		return give_line(sse, value, event, context);
	if (sse->has_data)
		buf_putc(&sse->data, '\n');
	buf_str(&sse->data, value);
	sse->has_data = true;
	if (buf_check(&sse->data))
		return STATUS_NOMEM;
	return sse->objects && is_whole(sse, value) ? give_event(sse, event, context) : STATUS_OK;
}

/* What was not completed before it says nothing. */
static enum status take_error(struct sse *sse, struct str value, sse_event_fn event, void *context)
{
	enum status status = event(context, STR("error"), value);

	buf_reset(&sse->data);
	sse->has_data = false;
	return status ? status : give_event(sse, event, context);
}

static HOT enum status take_field(struct sse *sse, struct str name, struct str value,
				  sse_event_fn event, void *context)
{
	if (str_equal(name, STR("data")))
		return take_data(sse, value, event, context);
	if (sse->objects && str_equal(name, STR("error")))
		return take_error(sse, value, event, context);
	if (str_equal(name, STR("event"))) {
		buf_reset(&sse->type);
		buf_str(&sse->type, value);
		return buf_check(&sse->type);
	}
	return STATUS_OK;
}

static HOT enum status take_line(struct sse *sse, struct str line, sse_event_fn event,
				 void *context)
{
	struct str name, value;
	const char *colon;

	if (line.n > sse->line.cap)
		return STATUS_NOMEM;
	if (!sse->started && str_starts(line, STR("\xef\xbb\xbf")))
		line = str_skip(line, 3);
	sse->started = true;
	if (sse->objects && !sse->object.begun && begins_object(line))
		sse->bare = true;
	if (sse->bare)
		return take_data(sse, line, event, context);
	if (!line.n)
		return give_event(sse, event, context);
	colon = memchr(line.p, ':', line.n);
	if (!colon)
		return take_field(sse, line, STR(""), event, context);
	name = (struct str){ line.p, (size_t)(colon - line.p) };
	value = str_skip(line, name.n + 1);
	if (value.n && *value.p == ' ')
		value = str_skip(value, 1);
	return take_field(sse, name, value, event, context);
}

/* The end of the line is here: `rest` is what of it lies in this piece. */
static HOT enum status end_line(struct sse *sse, struct str rest, sse_event_fn event, void *context)
{
	enum status status;

	if (!sse->line.len)
		return take_line(sse, rest, event, context);
	buf_str(&sse->line, rest);
	status = buf_check(&sse->line);
	if (status == STATUS_OK)
		status = take_line(sse, buf_view(&sse->line), event, context);
	buf_reset(&sse->line);
	return status;
}

static size_t line_length(struct str bytes)
{
	const char *feed = memchr(bytes.p, '\n', bytes.n), *cr;
	size_t n = feed ? (size_t)(feed - bytes.p) : bytes.n;

	cr = memchr(bytes.p, '\r', n);
	return cr ? (size_t)(cr - bytes.p) : n;
}

/* True if the line that ended before these bytes is followed by an empty one. */
static bool empty_follows(const struct sse *sse, struct str bytes)
{
	if (sse->after_cr && str_starts(bytes, STR("\n")))
		bytes = str_skip(bytes, 1);
	return bytes.n && (*bytes.p == '\n' || *bytes.p == '\r');
}

HOT enum status sse_feed(struct sse *sse, struct str bytes, sse_event_fn event, void *context)
{
	enum status status;
	size_t n;

	while (bytes.n) {
		/* A line feed behind a carriage return that came earlier belongs to it. */
		if (sse->after_cr && *bytes.p == '\n') {
			sse->after_cr = false;
			bytes = str_skip(bytes, 1);
			continue;
		}
		sse->after_cr = false;
		n = line_length(bytes);
		if (n == bytes.n) {
			buf_str(&sse->line, bytes);
			return buf_check(&sse->line);
		}
		sse->after_cr = bytes.p[n] == '\r';
		sse->last = empty_follows(sse, str_skip(bytes, n + 1));
		status = end_line(sse, (struct str){ bytes.p, n }, event, context);
		if (status != STATUS_OK)
			return status;
		bytes = str_skip(bytes, n + 1);
	}
	return STATUS_OK;
}

enum status sse_end(struct sse *sse, sse_event_fn event, void *context)
{
	enum status status = STATUS_OK;

	sse->last = false;
	if (sse->line.len)
		status = end_line(sse, STR(""), event, context);
	if (status == STATUS_OK)
		status = give_event(sse, event, context);
	return status;
}
