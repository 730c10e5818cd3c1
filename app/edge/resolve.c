/* Names to addresses, a thread a name.  For the database: libcurl has its own for the model. */
#include "edge/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared by who asked and the threads; who leaves last frees it. */
struct resolve {
	pthread_mutex_t lock;
	int holders, count, pending, fd;
	struct question {
		struct resolve *resolve;
		char name[NI_MAXHOST];
		bool answered, taken;
		struct resolve_found found;
	} questions[RESOLVE_NAMES];
};

bool resolve_is_address(const char *text)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found = NULL;

	if (getaddrinfo(text, NULL, &hints, &found))
		return false;
	freeaddrinfo(found);
	return true;
}

/* One more, or one less, that is not the last. */
static void hold(struct resolve *resolve, int more)
{
	pthread_mutex_lock(&resolve->lock);
	resolve->holders += more;
	resolve->pending += more;
	pthread_mutex_unlock(&resolve->lock);
}

static void leave(struct resolve *resolve)
{
	bool last;

	pthread_mutex_lock(&resolve->lock);
	last = --resolve->holders == 0;
	pthread_mutex_unlock(&resolve->lock);
	if (!last)
		return;
	close(resolve->fd);
	pthread_mutex_destroy(&resolve->lock);
	free(resolve);
}

static void look_up(const char *name, struct resolve_found *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found = NULL, *at;
	int error = getaddrinfo(name, NULL, &hints, &found);

	*out = (struct resolve_found){ .why = error ? gai_strerror(error) : "" };
	for (at = error ? NULL : found; at && out->count < RESOLVE_MOST; at = at->ai_next)
		if (getnameinfo(at->ai_addr, at->ai_addrlen, out->addresses[out->count],
				RESOLVE_SIZE, NULL, 0, NI_NUMERICHOST) == 0)
			out->count++;
	if (found)
		freeaddrinfo(found);
}

static void *answer(void *context)
{
	struct question *question = context;
	struct resolve *resolve = question->resolve;
	struct resolve_found found;
	uint64_t one = 1;

	look_up(question->name, &found);
	pthread_mutex_lock(&resolve->lock);
	question->found = found;
	question->answered = true;
	resolve->pending--;
	pthread_mutex_unlock(&resolve->lock);
	if (write(resolve->fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes 2^64 - 2 of them */
	leave(resolve);
	return NULL;
}

static enum status ask(struct question *question)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &attr, answer, question);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? STATUS_FAILED : STATUS_OK;
}

enum status resolve_start(const char *const *names, int count, struct resolve **out)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));
	enum status status = STATUS_OK;
	int i;

	if (!resolve)
		return STATUS_NOMEM;
	resolve->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (resolve->fd < 0) {
		free(resolve);
		return STATUS_FAILED;
	}
	pthread_mutex_init(&resolve->lock, NULL);
	resolve->holders = 1;
	resolve->count = count;
	for (i = 0; i < count && status == STATUS_OK; i++) {
		struct question *question = &resolve->questions[i];

		question->resolve = resolve;
		strncpy(question->name, names[i], sizeof(question->name) - 1);
		hold(resolve, 1);
		status = ask(question);
		if (status)
			hold(resolve, -1);
	}
	if (status) {
		leave(resolve);
		return status;
	}
	*out = resolve;
	return STATUS_OK;
}

int resolve_count(const struct resolve *resolve)
{
	return resolve->count;
}

int resolve_fd(const struct resolve *resolve)
{
	return resolve->fd;
}

int resolve_pending(struct resolve *resolve)
{
	int pending;

	pthread_mutex_lock(&resolve->lock);
	pending = resolve->pending;
	pthread_mutex_unlock(&resolve->lock);
	return pending;
}

bool resolve_take(struct resolve *resolve, int name, struct resolve_found *out)
{
	struct question *question = &resolve->questions[name];
	uint64_t ignored;
	bool there;

	if (read(resolve->fd, &ignored, sizeof(ignored)) < 0)
		ignored = 0; /* nothing new: the lock below decides */
	pthread_mutex_lock(&resolve->lock);
	there = question->answered && !question->taken;
	if (there) {
		*out = question->found;
		question->taken = true;
	}
	pthread_mutex_unlock(&resolve->lock);
	return there;
}

void resolve_stop(struct resolve *resolve)
{
	if (resolve)
		leave(resolve);
}
