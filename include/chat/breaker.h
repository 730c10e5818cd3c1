/*
 * A circuit breaker for each model server, of all workers of this host together: whether it may be
 * asked now, and what became of it. A server that failed BREAKER_FAILURES times in a row is not asked
 * for a pause; then one request is let through to find out, and its end closes the breaker or makes
 * the pause longer. And the server's places ("most at once"): a full one is not asked either.
 *
 * Nothing here waits, and nothing here decides who is asked instead: that is chat/attempts'. Where
 * the shared memory cannot help, a server may be asked: it must not become an outage.
 *
 * A server is known by all of its settings: one whose address, key or time was changed begins anew,
 * and a reload that changes others leaves it as it was.
 */
#ifndef CHAT_BREAKER_H
#define CHAT_BREAKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/counter.h"
#include "chat/limit.h"
#include "chat/model_shared.h"
#include "wire/config.h"

/* Few, since each costs a visitor a wait; more than one, since any server has a bad moment. */
#define BREAKER_FAILURES 3
/* The first pause; each that follows is twice as long, up to the longest. */
#define BREAKER_PAUSE_MS 5000
#define BREAKER_PAUSE_MOST_MS 300000

enum breaker_answer {
	BREAKER_YES,
	BREAKER_PROBE, /* yes: this request finds out whether it is back; no other is let through */
	BREAKER_OPEN,  /* no */
	BREAKER_FULL,  /* no: it has `open_most` requests; a place may be free in a moment */
};

/* A worker's; one server at a time. All functions take NULL: then any server may be asked. */
struct breaker {
	struct model_shared *shared; /* borrowed, as all of these; NULL: there is none */
	const struct config *config;
	struct limit *limit;
	uint32_t holder; /* our place in `limit` */
	pid_t pid;	 /* ours */
	struct counters counters;
	uint64_t ids[CONFIG_MODEL_SERVERS]; /* of the settings' servers */
	const struct model_server *server;  /* that is being asked; NULL: none */
};

void breaker_init(struct breaker *breaker, struct model_shared *shared, const struct config *config,
		  struct limit *limit, uint32_t holder, struct counters counters);

/*
 * Whether `server`, one of the settings', may be asked now; a yes takes a place there, which
 * breaker_leave() gives back (a death too). At BREAKER_OPEN, *until is when it may be worth asking again
 * (clock_ms()), so that of several open ones the caller can tell which is due first.
 */
enum breaker_answer breaker_enter(struct breaker *breaker, const struct model_server *server,
				  int64_t *until);
/*
 * As breaker_enter(), but an open server is asked all the same: for an exchange whose servers are all
 * open. A visitor wants an answer, and a server that came back a moment ago gives it; so of those
 * servers the one that is due first is asked, and no other, so that nobody waits for more than one
 * time-out. (With a single server this is always so: there is nobody to go to instead.) False: it is full.
 */
bool breaker_insist(struct breaker *breaker, const struct model_server *server);

/* What became of the server that was entered, once for each entering: */

/* Its first token came, or its answer was whole. Closes its breaker. */
void breaker_succeeded(struct breaker *breaker);
/*
 * It failed in a way that would befall the next request too (attempts_blames()). `cause`, for the
 * log, without a server's words.
 */
void breaker_failed(struct breaker *breaker, const char *cause);
/*
 * Nobody asks it any more: gives back the place, and the probe if neither of the above was said (the
 * client left, the request itself was refused: that says nothing of its health). Without a server: nothing.
 */
void breaker_leave(struct breaker *breaker);

/* What is known of a server of the settings. */
struct breaker_known {
	enum breaker_kind kind;
	unsigned failures; /* CLOSED: in a row */
	int64_t open_ms;   /* OPENED: for how long yet */
	unsigned prober;   /* PROBING: the process that finds out */
	int64_t requests;  /* it has now; -1: they are not counted, since it may have any number */
};
struct breaker_known breaker_look(struct model_shared *shared, struct limit *limit,
				  const struct model_server *server);
/* Logs what is known of each server of the settings, a line each. */
void breaker_show(struct model_shared *shared, const struct config *config);

#endif
