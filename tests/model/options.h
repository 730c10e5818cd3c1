/*
 * The command line.
 */
#ifndef MODEL_OPTIONS_H
#define MODEL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

struct options {
	const char *host; /* this and port point into address */
	const char *port;
	char *address;
	char *key;	/* NULL: no key is demanded */
	char *tls_cert; /* PEM; NULL: plain HTTP */
	char *tls_key;
	int64_t voice_delay; /* ns between the words of an answer without a directive */
	bool help;
};

/* STATUS_INVALID: it said on stderr what is wrong. Call options_clear in any case. */
enum status options_parse(struct options *options, int argc, char **argv) MUST_CHECK;
void options_print_help(void);
void options_clear(struct options *options);

#endif
