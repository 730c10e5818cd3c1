/*
 * edge/gateway for tests of http/: a request is what the test says, and what is written is kept as
 * one text.
 */
#ifndef STUB_GATEWAY_H
#define STUB_GATEWAY_H

#include "unit.h"

#include "edge/gateway.h"

#define STUB_GATEWAY_PARAMS 24

struct gateway {
	char unused;
};

static struct {
	struct {
		const char *name, *value;
	} params[STUB_GATEWAY_PARAMS];
	size_t count;
	struct str body;
	enum status read; /* how reading it ends, where it fits */
	int reads;
	char out[262144];
	size_t n;
	size_t taken; /* stub_gateway_take() gave it */
	int writes;
	int ends;		/* of the writes, those that ended the request */
	int refuse_at;		/* from this write on the client is gone; 0: never ... */
	bool stopped;		/* ... or takes nothing, and the worker must end */
	void (*on_write)(void); /* looks around while one is under way; NULL: nobody does */
} stub_gateway;

static inline void stub_gateway_clear(void)
{
	memset(&stub_gateway, 0, sizeof(stub_gateway));
}

/* Names may come twice, as from a web server. */
static inline void stub_gateway_param(const char *name, const char *value)
{
	assert_true(stub_gateway.count < STUB_GATEWAY_PARAMS);
	stub_gateway.params[stub_gateway.count].name = name;
	stub_gateway.params[stub_gateway.count].value = value;
	stub_gateway.count++;
}

/* All that was written. */
static inline struct str stub_gateway_out(void)
{
	return (struct str){ stub_gateway.out, stub_gateway.n };
}

/* What was written since the last call. */
static inline struct str stub_gateway_take(void)
{
	struct str rest = str_skip(stub_gateway_out(), stub_gateway.taken);

	stub_gateway.taken = stub_gateway.n;
	return rest;
}

static inline struct str stub_gateway_find(const char *name, int *count)
{
	struct str found = STR_NONE;
	size_t i;

	*count = 0;
	for (i = 0; i < stub_gateway.count; i++) {
		if (strcmp(stub_gateway.params[i].name, name) != 0)
			continue;
		if (!found.p)
			found = str_from(stub_gateway.params[i].value);
		++*count;
	}
	return found;
}

int64_t gateway_since(const struct gateway *gateway)
{
	(void)gateway;
	return 0;
}

struct str gateway_param(const struct gateway *gateway, const char *name)
{
	int count;

	(void)gateway;
	return stub_gateway_find(name, &count);
}

struct str gateway_only_param(const struct gateway *gateway, const char *name)
{
	struct str found;
	int count;

	(void)gateway;
	found = stub_gateway_find(name, &count);
	return count == 1 ? found : STR_NONE;
}

enum status gateway_read(struct gateway *gateway, struct buf *out)
{
	(void)gateway;
	stub_gateway.reads++;
	buf_str(out, stub_gateway.body);
	if (buf_check(out))
		return stub_gateway.body.n > out->cap ? STATUS_INVALID : STATUS_NOMEM;
	return stub_gateway.read;
}

enum status gateway_write(struct gateway *gateway, struct str bytes)
{
	(void)gateway;
	stub_gateway.writes++;
	if (stub_gateway.on_write)
		stub_gateway.on_write();
	if (stub_gateway.refuse_at && stub_gateway.writes >= stub_gateway.refuse_at)
		return stub_gateway.stopped ? STATUS_STOPPED : STATUS_CLOSED;
	assert_true(stub_gateway.n + bytes.n < sizeof(stub_gateway.out));
	memcpy(stub_gateway.out + stub_gateway.n, bytes.p, bytes.n);
	stub_gateway.n += bytes.n;
	return STATUS_OK;
}

enum status gateway_end(struct gateway *gateway, struct str bytes)
{
	stub_gateway.ends++;
	return gateway_write(gateway, bytes);
}

#endif
