/*
 * What follows a failure. In this order: what the request itself is to blame for is mended (a member,
 * the length); what the server is to blame for goes to one that was not asked yet, at once; and where
 * there is none, to one of those that may have recovered, after a pause; at last to one that had no place.
 */
#include "chat/attempts.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

/* What must be left of the exchange's time for asking to make sense. */
#define LEAST_MS 500

/* What a failure allows. */
#define WAY_AGAIN 1u /* the same server may do better in a moment */
#define WAY_NEXT 2u  /* another one may */

static void add(struct attempts *attempts, const struct model_server *server)
{
	size_t i;

	for (i = 0; i < attempts->count; i++)
		if (attempts->servers[i].server == server)
			return;
	attempts->servers[attempts->count++] = (struct attempt){ .server = server };
}

void attempts_init(struct attempts *attempts, const struct config *config, struct str names,
		   struct str model, struct str request_id)
{
	const struct model_server *server;
	struct str name, theirs;

	*attempts = (struct attempts){ .count = 0 };
	if (!model.p)
		model = str_from(config->model);
	if (!names.p)
		names = STR(MODEL_SERVER_DEFAULT);
	while (str_next(&names, ',', &name)) {
		name = str_trim(name, STR_SPACE);
		server = config_model_server(config, name);
		if (server && model_server_serves(server, model, &theirs))
			add(attempts, server);
		else
			log_warn("request=%.*s server=%.*s skipped: %s", STR_ARGS(request_id),
				 STR_ARGS(name),
				 server ? "it does not have the chatbot's model"
					: "the settings have no server of that name");
	}
	if (!attempts->count)
		add(attempts, &config->model_servers[0]);
}

const struct model_server *attempts_server(const struct attempts *attempts)
{
	return attempts->servers[attempts->at].server;
}

static size_t count_untried(const struct attempts *attempts)
{
	size_t i, n = 0;

	for (i = 0; i < attempts->count; i++)
		n += !attempts->servers[i].tried && i != attempts->at;
	return n;
}

int64_t attempts_patience(const struct attempts *attempts, int64_t left_ms)
{
	int64_t others = (int64_t)count_untried(attempts);
	int64_t requests = ATTEMPTS_MOST - attempts->requests - 1;
	int64_t first_ms = attempts_server(attempts)->first_ms, share;

	others = clock_earlier(others, requests);
	if (others <= 0)
		return 0;
	share = left_ms / (others + 1);
	share = share > 0 ? share : 1;
	return first_ms ? clock_earlier(first_ms, share) : share;
}

void attempts_asked(struct attempts *attempts)
{
	attempts->requests++;
	attempts->servers[attempts->at].tried = true;
	attempts->servers[attempts->at].again = false;
	attempts->servers[attempts->at].passed = false;
	attempts->pause_until = 0;
}

static void note(struct attempts *attempts, const struct model_server *server, const char *what)
{
	size_t room = sizeof(attempts->tries) - attempts->tries_n;
	int n = snprintf(attempts->tries + attempts->tries_n, room, "%s%s %s",
			 attempts->tries_n ? ", " : "", server->name, what);

	/* Half a name says nothing. */
	if (n < 0 || (size_t)n >= room)
		attempts->tries[attempts->tries_n] = '\0';
	else
		attempts->tries_n += (size_t)n;
}

static void note_failure(struct attempts *attempts, const struct model_server *server,
			 const struct model_failure *failure)
{
	static const char *const words[] = {
		[MODEL_UNREACHED] = "unreached",
		[MODEL_DECLINED] = "refused",
		[MODEL_RESET] = "reset",
		[MODEL_LATE] = "late",
		[MODEL_HTTP] = "",
		[MODEL_ERROR] = "error",
		[MODEL_PROTOCOL] = "unreadable",
	};
	char number[16];

	snprintf(number, sizeof(number), "%d", failure->http);
	note(attempts, server, failure->kind == MODEL_HTTP ? number : words[failure->kind]);
}

/* The statuses of RFC 9110, 408, 409 and 429; 520 to 529 are Cloudflare's and Anthropic's. */
static unsigned ways_of_status(int http)
{
	switch (http) {
	case 400:
	case 413:
	case 422:
		return 0; /* any server would say so */
	case 408:
	case 409:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return WAY_AGAIN | WAY_NEXT;
	default:
		return WAY_NEXT | (http >= 520 && http <= 529 ? WAY_AGAIN : 0);
	}
}

static unsigned ways_of(const struct model_failure *failure)
{
	static const unsigned ways[] = {
		[MODEL_UNREACHED] = WAY_NEXT,
		[MODEL_DECLINED] = WAY_NEXT,
		[MODEL_RESET] = WAY_AGAIN | WAY_NEXT,
		[MODEL_LATE] = WAY_NEXT,
		[MODEL_HTTP] = WAY_NEXT,
		[MODEL_ERROR] = WAY_AGAIN | WAY_NEXT,
		[MODEL_PROTOCOL] = WAY_NEXT,
	};

	return failure->http ? ways_of_status(failure->http) : ways[failure->kind];
}

/* A connection that had been kept, and that the server had given up: that is no failure of its. */
static bool was_stale(const struct model_failure *failure)
{
	return failure->reused && (failure->kind == MODEL_RESET || failure->kind == MODEL_LATE ||
				   failure->http == 408);
}

bool attempts_blames(const struct model_failure *failure)
{
	return ways_of(failure) && failure->http != 409 && !failure->too_long &&
	       !was_stale(failure);
}

bool attempts_blame(struct attempts *attempts, const struct model_failure *failure)
{
	struct attempt *server = &attempts->servers[attempts->at];
	bool first = attempts_blames(failure) && !server->blamed;

	server->blamed |= first;
	return first;
}

/*
 * Nobody says why: a request with less may be taken; half of the history once, then none of it, or
 * the conversation would be stuck.
 */
static enum attempts_step guess(struct attempts *attempts, const struct attempts_room *room)
{
	if (!attempts->guessed) {
		attempts->guessed = room->long_history;
		return room->long_history ? ATTEMPTS_HALF : ATTEMPTS_END;
	}
	if (attempts->guessed_all || !room->history)
		return ATTEMPTS_END;
	attempts->guessed_all = true;
	return ATTEMPTS_BARE;
}

/* What may be too long, as the server says or not, is asked with less, if there is less. */
static enum attempts_step shorten(struct attempts *attempts, const struct model_failure *failure,
				  const struct attempts_room *room)
{
	if (!failure->too_long)
		return guess(attempts, room);
	return room->history ? ATTEMPTS_HALF : ATTEMPTS_END;
}

/* A server at a loss: what it says of the length, if it does, is not to be relied on at once. */
static bool is_500(const struct model_failure *failure)
{
	if (failure->kind == MODEL_ERROR)
		return !failure->too_long && (failure->http == 500 || !failure->http);
	return failure->http == 500;
}

/* How long to leave a server alone: longer each time, never two workers' in step. */
static int64_t pause_of(const struct attempt *server, const struct model_failure *failure,
			uint32_t dice)
{
	int64_t pause = ATTEMPTS_PAUSE_MS << server->failures;

	if (failure->retry_ms > pause)
		return failure->retry_ms + dice % ATTEMPTS_PAUSE_MS;
	return pause / 2 + dice % (pause / 2 + 1);
}

static enum attempts_step move(struct attempts *attempts, size_t to)
{
	enum attempts_step step = to == attempts->at ? ATTEMPTS_AGAIN : ATTEMPTS_MOVE;

	if (to != attempts->at)
		attempts->without = (struct model_refused){ .members = 0 };
	attempts->at = to;
	return step;
}

static bool find_untried(const struct attempts *attempts, size_t *out)
{
	size_t i;

	for (i = 0; i < attempts->count; i++)
		if (!attempts->servers[i].tried && i != attempts->at) {
			*out = i;
			return true;
		}
	return false;
}

/* The one of those that may have recovered that is due first. */
static enum attempts_step again(struct attempts *attempts, const struct attempts_room *room)
{
	const struct attempt *servers = attempts->servers;
	size_t i, best = attempts->count;

	for (i = 0; i < attempts->count; i++)
		if (servers[i].again &&
		    (best == attempts->count || servers[i].again_at < servers[best].again_at))
			best = i;
	if (best == attempts->count || servers[best].again_at > room->deadline - LEAST_MS)
		return ATTEMPTS_END;
	attempts->pause_until = servers[best].again_at;
	(void)move(attempts, best);
	return ATTEMPTS_AGAIN;
}

/* One that was passed over since it had no place: it may have one now, or is waited for. */
static bool find_full(const struct attempts *attempts, size_t *out)
{
	size_t i;

	for (i = 0; i < attempts->count; i++)
		if (attempts->servers[i].passed && attempts->servers[i].full) {
			*out = i;
			return true;
		}
	return false;
}

/* What the server is to blame for. */
static enum attempts_step elsewhere(struct attempts *attempts, const struct model_failure *failure,
				    const struct attempts_room *room)
{
	struct attempt *server = &attempts->servers[attempts->at];
	enum attempts_step step = ATTEMPTS_END;
	unsigned ways = ways_of(failure);
	size_t untried, full;
	bool has_full;

	if (was_stale(failure) && (failure->kind != MODEL_LATE || !count_untried(attempts)))
		return ATTEMPTS_AGAIN;
	if (ways & WAY_AGAIN && failure->retry_ms <= ATTEMPTS_PAUSE_MOST_MS) {
		server->again = true;
		server->again_at = room->now + pause_of(server, failure, room->dice);
		server->failures++;
	}
	if (ways & WAY_NEXT && find_untried(attempts, &untried))
		return move(attempts, untried);
	has_full = ways & WAY_NEXT && find_full(attempts, &full);
	if (ways && !(has_full && attempts->requests == ATTEMPTS_MOST - 1))
		step = again(attempts, room);
	return step == ATTEMPTS_END && has_full ? move(attempts, full) : step;
}

static enum attempts_step decide(struct attempts *attempts, const struct model_failure *failure,
				 const struct attempts_room *room)
{
	bool last = attempts->requests == ATTEMPTS_MOST - 1, seen_500 = attempts->met_500;
	enum attempts_step step = ATTEMPTS_END;

	attempts->met_500 |= is_500(failure);
	attempts->fresh |= was_stale(failure) || last;
	if (attempts->requests >= ATTEMPTS_MOST || room->now >= room->deadline - LEAST_MS)
		return ATTEMPTS_END;
	if (failure->refused.members) {
		attempts->without.members |= failure->refused.members;
		attempts->without.values |= failure->refused.values;
		return ATTEMPTS_WITHOUT;
	}
	if (is_500(failure)) {
		if (seen_500 && (last || !count_untried(attempts)))
			step = shorten(attempts, failure, room);
		if (step != ATTEMPTS_END)
			return step;
	} else if (failure->too_long || !ways_of(failure)) {
		return shorten(attempts, failure, room);
	}
	return elsewhere(attempts, failure, room);
}

enum attempts_step attempts_failed(struct attempts *attempts, const struct model_failure *failure,
				   const struct attempts_room *room)
{
	const struct model_server *server = attempts_server(attempts);
	enum attempts_step step = decide(attempts, failure, room);

	if (step != ATTEMPTS_END)
		note_failure(attempts, server, failure);
	return step;
}

bool attempts_pass(struct attempts *attempts, bool full)
{
	struct attempt *server = &attempts->servers[attempts->at];
	size_t untried;

	server->tried = true;
	server->passed = true;
	server->full = full;
	if (attempts->count > 1) /* a lone one is asked all the same */
		note(attempts, server->server, full ? "full" : "open");
	if (!find_untried(attempts, &untried))
		return false;
	(void)move(attempts, untried);
	return true;
}

bool attempts_return(struct attempts *attempts, size_t i)
{
	if (!attempts->servers[i].passed)
		return false;
	(void)move(attempts, i);
	return true;
}
