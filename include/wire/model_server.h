/*
 * A server that speaks OpenAI's protocol, as the settings describe it: where it is, who we are
 * there, which models it has, how long it may take.
 */
#ifndef WIRE_MODEL_SERVER_H
#define WIRE_MODEL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* The name of the one that BANTER_MODEL_URL and its kin describe. */
#define MODEL_SERVER_DEFAULT "default"

/* Strings are the settings', never NULL ("" is the empty value). Times are in milliseconds. */
struct model_server {
	char *name;
	char *url;     /* up to and including /v1, then any query */
	char *key;     /* secret; "": none is sent */
	char *headers; /* lines with LF between (secret) */
	char *members; /* "" or a JSON object on one line */
	char *ca;      /* a file of CA certificates; "": the system's */
	char *models;  /* OURS or OURS=THEIRS, with commas between; "": any, named as they are */
	int64_t connect_ms; /* to reach it */
	int64_t first_ms;   /* to the first byte */
	int64_t idle_ms;    /* between bytes */
	int64_t open_most;  /* requests at once, of one host; 0: any number */
};

/*
 * Whether it has the model, and what it is called there (borrowed from either argument): as here,
 * too, where it has it not.
 */
bool model_server_serves(const struct model_server *server, struct str model, struct str *theirs);

#endif
