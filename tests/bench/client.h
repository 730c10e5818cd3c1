/*
 * One client of the load: a kept HTTP/1.1 connection, one exchange after the other on it. Driven
 * by load.c's epoll; answer.c judges what comes.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <netinet/in.h>

#include "answer.h"

#define LOAD_KEYS 16

/* What a run does, and what came of it. */
struct run {
	struct sockaddr_in to;
	enum answer_api api;
	const char *keys[LOAD_KEYS]; /* Banter's widget keys, by turns the clients'; never shown */
	unsigned key_count;
	unsigned clients, exchanges, tokens, gap_us; /* exchanges: of each client */
	unsigned burst;				     /* tokens of one write of the model's */
	int64_t spread_us;			     /* within which the clients begin */
	uint64_t all_tokens, all_exchanges, reads;   /* that went right; reads of sockets */
	bool may_refuse; /* an answer that is no stream is counted, and no fault */
	uint64_t refused;
	unsigned begun;	      /* clients that had a first token, or were refused */
	const char *fault;    /* the first one */
	char fault_head[128]; /* how its answer began, if that was the fault */
	struct histogram token, first, exchange; /* latency; request to first token; to the end */
};

enum client_phase {
	CLIENT_IDLE,
	CLIENT_CONNECT,
	CLIENT_HEAD,
	CLIENT_BODY,
	CLIENT_OVER, /* every exchange done, or a fault */
};

/* Where in the chunked coding the next byte lies. */
enum client_chunk { CHUNK_SIZE, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER };

struct client {
	struct run *run;
	unsigned number, left; /* exchanges still to do */
	int fd;
	bool begun;
	enum client_phase phase;
	enum client_chunk chunk;
	size_t chunk_left, trailer_n, head_n;
	int64_t sent_at;
	struct answer answer;
	char out[1024], head[8192];
};

void client_init(struct client *client, struct run *run, unsigned number);

/* Begins the client's first exchange; it connects and is added to `epoll`. */
void client_start(struct client *client, int epoll);

/* The descriptor is ready. At the end phase is CLIENT_OVER and the descriptor is closed. */
void client_ready(struct client *client, int epoll);

#endif
