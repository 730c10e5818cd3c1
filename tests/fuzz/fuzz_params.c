/*
 * edge/gateway over the real libfcgi, which is fed the input as what follows a request's beginning. Whatever it is, the
 * request ends, and no descriptor is left of it. Where the records are as the protocol wants them, the parameters and
 * the body are those that an oracle reads in them; and then a reply comes out.
 *
 * Lengths of more than a MiB are left out: libfcgi allocates what they say, and gives up where that cannot be.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/wait.h"
#include "edge/gateway.h"

#define BEGIN 1 /* record types, of the FastCGI specification */
#define PARAMS 4
#define STDIN 5
#define HEADER 8
#define PAIRS 64
#define LONGEST (1 << 20)

static const unsigned char opening[] = { 1, BEGIN, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0 };

/* Behind a record that it did not expect it forgets some bytes. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfcgi\n";
}

static struct gateway *gateway;
static struct wait wait;

/* What the oracle reads. */
struct read {
	struct buf params, body;
	struct {
		struct str name, value;
	} pairs[PAIRS];
	size_t count;
	bool strict; /* these are the records of one request, and nothing else */
};

/* Takes a record off *rest; false: it is not whole, or none of this kind of ours. */
static bool take_record(struct str *rest, int kind, struct str *content)
{
	const unsigned char *head = (const unsigned char *)rest->p;
	size_t size;

	if (rest->n < HEADER || head[0] != 1 || head[1] != kind || head[2] != 0 || head[3] != 1)
		return false;
	size = ((size_t)head[4] << 8) + head[5];
	/* What pads a stream's end libfcgi takes for the next record. */
	if (rest->n < HEADER + size + head[6] || (!size && head[6]))
		return false;
	*content = (struct str){ rest->p + HEADER, size };
	*rest = str_skip(*rest, HEADER + size + head[6]);
	return true;
}

/* A stream's records, up to the empty one that ends it. */
static bool take_stream(struct str *rest, int kind, struct buf *out)
{
	struct str content;

	while (take_record(rest, kind, &content)) {
		if (!content.n)
			return true;
		buf_str(out, content);
	}
	return false;
}

static bool take_length(struct str *rest, size_t *out)
{
	const unsigned char *p = (const unsigned char *)rest->p;
	size_t n = rest->n && p[0] < 128 ? 1 : 4;

	if (rest->n < n)
		return false;
	*out = n == 1 ? p[0]
		      : ((size_t)(p[0] & 127) << 24) + ((size_t)p[1] << 16) + ((size_t)p[2] << 8) +
				p[3];
	*rest = str_skip(*rest, n);
	return true;
}

static bool take_text(struct str *rest, size_t n, struct str *out)
{
	if (rest->n < n)
		return false;
	*out = (struct str){ rest->p, n };
	*rest = str_skip(*rest, n);
	return true;
}

static bool take_pairs(struct read *read)
{
	struct str rest = buf_view(&read->params), name, value;
	size_t name_n, value_n;

	while (rest.n) {
		if (read->count == PAIRS || !take_length(&rest, &name_n) ||
		    !take_length(&rest, &value_n) || !take_text(&rest, name_n, &name) ||
		    !take_text(&rest, value_n, &value))
			return false;
		read->pairs[read->count].name = name;
		read->pairs[read->count++].value = value;
	}
	return true;
}

static void read_as_oracle(struct read *read, struct str input)
{
	*read = (struct read){ .count = 0 };
	buf_init(&read->params, input.n);
	buf_init(&read->body, input.n);
	read->strict = take_stream(&input, PARAMS, &read->params) && take_pairs(read) &&
		       take_stream(&input, STDIN, &read->body) && !input.n;
}

/* Bytes that libfcgi could take for such a length, wherever broken records make it look for one. */
static bool may_be_long(struct str input)
{
	const unsigned char *p = (const unsigned char *)input.p;
	size_t i;

	for (i = 0; i < input.n; i++)
		if (p[i] > 128 || (p[i] == 128 && (i + 1 == input.n || p[i + 1] >= LONGEST >> 16)))
			return true;
	return false;
}

static bool plain(struct str text)
{
	return !text.n || (!memchr(text.p, '\0', text.n) && !memchr(text.p, '=', text.n));
}

/* The first of its name. */
static bool is_first(const struct read *read, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (str_equal(read->pairs[i].name, read->pairs[at].name))
			return false;
	return true;
}

/* What else begins with "name=" is a name with such a sign in it. */
static bool all_plain(const struct read *read)
{
	size_t i;

	for (i = 0; i < read->count; i++)
		if (!plain(read->pairs[i].name) ||
		    (read->pairs[i].value.n &&
		     memchr(read->pairs[i].value.p, '\0', read->pairs[i].value.n)))
			return false;
	return true;
}

static void params_are(const struct read *read)
{
	char name[65536];
	struct str value;
	size_t i;

	if (!all_plain(read))
		return;
	for (i = 0; i < read->count; i++) {
		if (read->pairs[i].name.n >= sizeof(name) || !is_first(read, i))
			continue;
		memcpy(name, read->pairs[i].name.p, read->pairs[i].name.n);
		name[read->pairs[i].name.n] = '\0';
		value = gateway_param(gateway, name);
		must(value.p && str_equal(value, read->pairs[i].value));
	}
	must(!gateway_param(gateway, "NOBODY_SAYS_THIS").p);
}

static void body_is(const struct read *read)
{
	struct buf body;
	enum status status;

	buf_init(&body, 1 << 17);
	status = gateway_read(gateway, &body);
	if (read->strict && status == STATUS_OK)
		must(str_equal(buf_view(&body), buf_view(&read->body)));
	/* Nothing is missing but where a length is announced. */
	must(!read->strict || status == STATUS_OK || gateway_param(gateway, "CONTENT_LENGTH").p);
	buf_clear(&body);
}

static void serve(const struct read *read, int other)
{
	enum status status = gateway_end(gateway, STR("Status: 204 No Content\r\n\r\n"));
	unsigned char head[HEADER];

	must(!read->strict || status == STATUS_OK);
	gateway_finish(gateway, &wait);
	/* Its first record, of standard output. */
	must(!read->strict ||
	     (recv(other, head, HEADER, MSG_DONTWAIT) == HEADER && head[0] == 1 && head[1] == 6));
}

static void set_up(void)
{
	struct sockaddr_un nowhere = { .sun_family = AF_UNIX }; /* the kernel chooses a name */
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&nowhere, sizeof(sa_family_t)) == 0);
	must(listen(fd, 1) == 0);
	wait_init(&wait);
	must(gateway_new(fd, false, 0, 0, &gateway) == STATUS_OK);
}

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	must(fd >= 0);
	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = { (const char *)data, size };
	int ends[2], most = 1 << 20, before;
	struct read read;
	enum status status;

	if (!gateway)
		set_up();
	read_as_oracle(&read, input);
	if (!read.strict && may_be_long(input)) {
		buf_clear(&read.params);
		buf_clear(&read.body);
		return -1;
	}
	before = lowest_free();
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
	must(send(ends[0], opening, sizeof(opening), 0) == sizeof(opening));
	must(send(ends[0], data, size, MSG_DONTWAIT) == (ssize_t)size);
	status = gateway_open(gateway, &wait, ends[1]);
	must(status == STATUS_OK || (status == STATUS_CLOSED && !read.strict));
	if (status == STATUS_OK) {
		if (read.strict)
			params_are(&read);
		body_is(&read);
		serve(&read, ends[0]);
	}
	close(ends[0]);
	must(lowest_free() == before);
	buf_clear(&read.params);
	buf_clear(&read.body);
	return 0;
}
