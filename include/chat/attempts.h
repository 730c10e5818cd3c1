/*
 * The model requests of one exchange: which server is asked next, what is left out of the request,
 * how long to wait before it, and when it was enough. Bookkeeping alone: it asks nobody and waits for
 * nothing. Nothing is asked again once text came: that is for the caller to know.
 */
#ifndef CHAT_ATTEMPTS_H
#define CHAT_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "chat/model.h"
#include "wire/config.h"

/* Model requests of an exchange, all together. */
#define ATTEMPTS_MOST 4
/* What a server that is overloaded is given before it is asked again: doubled each time. */
#define ATTEMPTS_PAUSE_MS 250
/* It may ask for more (Retry-After), but not for more than this: a visitor is waiting. */
#define ATTEMPTS_PAUSE_MOST_MS 10000
#define ATTEMPTS_TRIES_SIZE 256

enum attempts_step {
	ATTEMPTS_END,	  /* it failed for good */
	ATTEMPTS_AGAIN,	  /* the same request, to the same server or one that failed before */
	ATTEMPTS_MOVE,	  /* the same request, to the next server */
	ATTEMPTS_WITHOUT, /* without the members that the server does not take */
	ATTEMPTS_HALF,	  /* with half of the history; where it is the last request, with none */
	ATTEMPTS_BARE,	  /* with none of the history */
};

struct attempts {
	struct attempt {
		const struct model_server *server;
		bool tried;	  /* or passed over */
		bool passed;	  /* it was not asked since ... */
		bool full;	  /* ... and only had no place */
		bool again;	  /* it may be asked once more ... */
		int64_t again_at; /* ... from then on */
		int failures;	  /* that may pass */
		bool blamed;	  /* for one of its own */
	} servers[CONFIG_MODEL_SERVERS];
	size_t count;
	size_t at; /* the one to ask */
	int requests;
	int64_t pause_until;	      /* clock_ms(): not to be asked before; 0: at once */
	bool fresh;		      /* ... and not on a kept connection */
	struct model_refused without; /* what the one at `at` refused */
	bool guessed;		      /* half was left out though nobody spoke of length ... */
	bool guessed_all;	      /* ... and then all of it */
	bool met_500;
	/*
	 * Why more was asked: "a 503, b refused". `open` and `full` were not asked. sql's
	 * servers_tried() takes it apart.
	 */
	char tries[ATTEMPTS_TRIES_SIZE];
	size_t tries_n;
};

/* What the next step depends on, besides how it failed. */
struct attempts_room {
	int64_t now, deadline; /* of the exchange, clock_ms() */
	bool history;	       /* the request has some */
	bool long_history;     /* ... so much that it may be the cause of what nobody explains */
	uint32_t dice;	       /* a random number */
};

/*
 * The servers to ask for `model`, in their order. `names`: the chatbot's, with commas between;
 * absent: only the default one. Those that the settings do not have, or that do not have the model,
 * are skipped, and logged; where none is left, the default one is asked.
 */
void attempts_init(struct attempts *attempts, const struct config *config, struct str names,
		   struct str model, struct str request_id);
/* The one to ask now. */
const struct model_server *attempts_server(const struct attempts *attempts);
/*
 * How long a silence of it is worth, ms: its time to the first byte, and no more than its share of
 * what is left, with those that were not asked yet. 0: as long as its settings allow, since nobody
 * else is there to be asked.
 */
int64_t attempts_patience(const struct attempts *attempts, int64_t left_ms);
/* It is being asked. */
void attempts_asked(struct attempts *attempts);
/*
 * It failed, before any text came: what is to be done. The members above say how: `at`, `without`,
 * `pause_until`, `fresh`.
 */
enum attempts_step attempts_failed(struct attempts *attempts, const struct model_failure *failure,
				   const struct attempts_room *room);
/*
 * It is not to be asked now: it has no place (`full`), or its breaker is open; noted in `tries` unless
 * it is the only one. False: no other is left; `at` stays. A full one is come back to where those that
 * were asked instead failed: it is well.
 */
bool attempts_pass(struct attempts *attempts, bool full);
/* To the i-th, if it was passed over. False: it was not. */
bool attempts_return(struct attempts *attempts, size_t i);
/*
 * True if the failure is the server's own, and would befall any request: it cannot be reached, is
 * late or broken, or says any status that is no success but 400, 409, 413 and 422.
 */
bool attempts_blames(const struct model_failure *failure);
/* ... of the one that is being asked, for the first time in this exchange. */
bool attempts_blame(struct attempts *attempts, const struct model_failure *failure);

#endif
