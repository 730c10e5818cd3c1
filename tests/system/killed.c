/*
 * Preloaded: the process is killed at the first statement of a move that follows another for the first
 * time, before it is sent, or after (KILLED_AFTER): then the server runs it, and tells nobody. Which
 * were met before, by whatever process, the file says that KILLED_AT names.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pg_conn PGconn;
typedef unsigned int Oid;

typedef int (*query_fn)(PGconn *, const char *);
typedef int (*params_fn)(PGconn *, const char *, int, const Oid *, const char *const *, const int *,
			 const int *, int);

int PQsendQuery(PGconn *conn, const char *query);
int PQsendQueryParams(PGconn *conn, const char *command, int count, const Oid *types,
		      const char *const *values, const int *lengths, const int *formats,
		      int format);

struct statement {
	uint64_t hash;
	int moves;
};

static struct statement last, this;

static struct statement read_statement(const char *text)
{
	struct statement found = { 14695981039346656037u, strstr(text, "mov") != NULL };

	for (; *text; text++)
		found.hash = (found.hash ^ (unsigned char)*text) * 1099511628211u;
	return found;
}

/* Whether the two have followed each other before; from now on they have. */
static int met(const char *path)
{
	uint64_t pair = last.hash * 31 + this.hash, line;
	FILE *file = fopen(path, "a+e");
	int found = 0;

	while (file && !found && fscanf(file, "%" SCNx64, &line) == 1)
		found = line == pair;
	if (file && !found)
		fprintf(file, "%" PRIx64 "\n", pair);
	if (file)
		fclose(file);
	return found;
}

static void pass(int after)
{
	const char *path = getenv("KILLED_AT");

	if (path && !!getenv("KILLED_AFTER") == after && (last.moves || this.moves) && !met(path))
		raise(SIGKILL);
}

int PQsendQuery(PGconn *conn, const char *query)
{
	int sent;

	this = read_statement(query);
	pass(0);
	sent = ((query_fn)dlsym(RTLD_NEXT, "PQsendQuery"))(conn, query);
	pass(1);
	last = this;
	return sent;
}

int PQsendQueryParams(PGconn *conn, const char *command, int count, const Oid *types,
		      const char *const *values, const int *lengths, const int *formats, int format)
{
	int sent;

	this = read_statement(command);
	pass(0);
	sent = ((params_fn)dlsym(RTLD_NEXT, "PQsendQueryParams"))(conn, command, count, types,
								  values, lengths, formats, format);
	pass(1);
	last = this;
	return sent;
}
