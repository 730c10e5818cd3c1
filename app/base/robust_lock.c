/* Robust mutexes of POSIX, with a deadline by the monotonic clock. */
#include "base/robust_lock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

enum status robust_lock_init(struct robust_lock *lock)
{
	pthread_mutexattr_t attr;
	int error;

	pthread_mutexattr_init(&attr);
	error = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (!error)
		error = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (!error)
		error = pthread_mutex_init(&lock->mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	if (!error)
		return STATUS_OK;
	log_error("no mutex for shared memory: %s", strerror(error));
	return STATUS_FAILED;
}

enum status robust_lock_take(struct robust_lock *lock, int64_t most_ms, void (*mend)(void *context),
			     void *context)
{
	struct timespec until;
	int error;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(most_ms / 1000);
	until.tv_nsec += (long)(most_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	error = pthread_mutex_clocklock(&lock->mutex, CLOCK_MONOTONIC, &until);
	if (error == EOWNERDEAD) {
		mend(context);
		error = pthread_mutex_consistent(&lock->mutex);
	}
	if (!error)
		return STATUS_OK;
	return error == ETIMEDOUT ? STATUS_TIMEOUT : STATUS_FAILED;
}

void robust_lock_give(struct robust_lock *lock)
{
	pthread_mutex_unlock(&lock->mutex);
}
