/*
 * The guard.  Rests on SA_RESTART, on shutdown(2), which ends a read or write that is begun again, and
 * on one timer.  That is set where it would come too late, and never put off: so it seldom is.
 */
#include "base/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/hot.h"

/* What has only just begun to block may not block at all: it has this much of a stop's time. */
#define MOMENT_MS 100
/*
 * Once a stop's time is set the timer comes again and again: it may come just before a wait, which
 * would not end of it.
 */
#define AGAIN_MS 1500

#define MOST_MS 86400000 /* a timer's; it comes for nothing then, and is set again */

enum { NOT_BLOCKED = -1 };

/* Of a process: its handlers change it too. */
static struct {
	struct wait *volatile wait; /* NULL: nothing is guarded */
	int fd;
	sigset_t blocked;		  /* the mask before */
	volatile int how;		  /* what shutdown(2) is told, or NOT_BLOCKED */
	volatile int64_t began, deadline; /* of what blocks */
	volatile int64_t set_for;	  /* when the timer comes; CLOCK_NEVER: it does not */
	volatile enum status shut;	  /* why it was */
	bool handled;			  /* SIGALRM is */
} guard = { .how = NOT_BLOCKED, .set_for = CLOCK_NEVER };

/* When there is something to do. */
static HOT int64_t next(const struct wait *wait)
{
	if (guard.how == NOT_BLOCKED)
		return wait->stop_at;
	return clock_earlier(guard.deadline, clock_later(wait->stop_at, guard.began + MOMENT_MS));
}

static struct timeval of_ms(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

/* A handler may come in between and set it for something else: then it is done again. */
static void set_timer(const struct wait *wait, int64_t now)
{
	struct itimerval timer = { .it_value = { 0 } };
	int64_t at, left;

	do {
		at = next(wait);
		left = at <= now ? AGAIN_MS : clock_earlier(at - now, MOST_MS);
		if (at == CLOCK_NEVER)
			left = 0; /* it is turned off */
		timer.it_interval = of_ms(wait->stop_at < CLOCK_NEVER ? AGAIN_MS : 0);
		timer.it_value = of_ms(left);
		setitimer(ITIMER_REAL, &timer, NULL);
		guard.set_for = left ? now + left : CLOCK_NEVER;
	} while (at != next(wait));
}

void guard_signalled(void)
{
	struct wait *wait = guard.wait;
	int before = errno;
	int64_t now;

	if (!wait)
		return;
	now = clock_ms();
	wait_see_stop(wait, now);
	if (guard.how != NOT_BLOCKED && now >= next(wait)) {
		guard.shut = now >= guard.deadline ? STATUS_TIMEOUT : STATUS_STOPPED;
		shutdown(guard.fd, guard.how);
		guard.how = NOT_BLOCKED;
	}
	set_timer(wait, now);
	errno = before;
}

static void on_alarm(int number)
{
	(void)number;
	guard_signalled();
}

void guard_open(struct wait *wait, int fd)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	if (!guard.handled) {
		sigfillset(&action.sa_mask);
		sigaction(SIGALRM, &action, NULL);
		guard.handled = true;
	}
	guard.fd = fd;
	guard.shut = STATUS_OK;
	guard.how = NOT_BLOCKED;
	guard.wait = wait;
	if (wait->stop && *wait->stop)
		guard_signalled();
	sigprocmask(SIG_SETMASK, &wait->signals, &guard.blocked);
}

void guard_close(void)
{
	const struct itimerval none = { .it_value = { 0 } };

	if (!guard.wait)
		return;
	sigprocmask(SIG_SETMASK, &guard.blocked, NULL);
	guard.wait = NULL;
	if (guard.set_for < CLOCK_NEVER)
		setitimer(ITIMER_REAL, &none, NULL);
	guard.set_for = CLOCK_NEVER;
}

HOT void guard_begin(int how, int64_t ms)
{
	const struct wait *wait = guard.wait;
	int64_t now = clock_ms();

	guard.how = NOT_BLOCKED;
	guard.began = now;
	guard.deadline = now + ms;
	guard.how = how;
	if (next(wait) < guard.set_for)
		set_timer(wait, now);
}

HOT enum status guard_end(void)
{
	enum status status;

	guard.how = NOT_BLOCKED;
	status = guard.shut;
	guard.shut = STATUS_OK;
	return status;
}
