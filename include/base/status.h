/*
 * The result of every function that can fail.  Library codes (errno, SQLSTATE,
 * CURLcode) stop in edge/; above it only these are seen.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum status {
	STATUS_OK = 0,
	STATUS_NOMEM,	    /* an allocation failed, or a buffer reached its cap */
	STATUS_INVALID,	    /* the input is not what it must be */
	STATUS_TIMEOUT,	    /* the deadline passed */
	STATUS_CLOSED,	    /* the other side went away */
	STATUS_UNAVAILABLE, /* a part we need cannot be reached now; later it may be */
	STATUS_REFUSED,	    /* the other side answered, and said no */
	STATUS_STOPPED,	    /* this process is to stop */
	STATUS_FAILED,	    /* anything else; its cause was logged where it was known */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* A constant, lower-case name for logs, such as "timeout". */
const char *status_name(enum status status);

#endif
