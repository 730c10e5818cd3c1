/*
 * How a step of the stand-in model can end. One set of names for the whole program.
 */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTS(string, first) __attribute__((format(printf, string, first)))

enum status {
	STATUS_OK,
	STATUS_NO_MEMORY,
	STATUS_INVALID, /* what was asked makes no sense; a struct fault says why */
	STATUS_LEFT,	/* the client hung up while we waited */
	STATUS_STOPPED, /* the program is ending */
	STATUS_TIMEOUT,
	STATUS_END, /* the body ends here, cleanly */
	STATUS_CUT, /* the script wants the connection broken here */
};

#endif
