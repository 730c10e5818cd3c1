/* The list of hosts, taken apart as libpq does; resolving and trying them is db_connect.c's. */
#include "edge/db_places.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT "5432" /* DEF_PGPORT, which libpq has for an empty one in a list */

/*
 * All options of a connection, wherever they are set. libpq tells them of a connection only, so it
 * is given one that it refuses before it resolves a name or reads a password file.
 */
static PQconninfoOption *read_options(const char *url)
{
	const char *names[] = { "dbname", "password", "channel_binding", NULL };
	const char *values[] = { *url ? url : NULL, "none", "none", NULL };
	PGconn *conn = PQconnectStartParams(names, values, 1);
	PQconninfoOption *options = conn ? PQconninfo(conn) : NULL;

	PQfinish(conn);
	return options;
}

/* NULL where it is not set. */
static const char *option(const PQconninfoOption *options, const char *name)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, name) == 0)
			return options->val && *options->val ? options->val : NULL;
	return NULL;
}

static bool option_is(const PQconninfoOption *options, const char *name, const char *value)
{
	const char *set = option(options, name);

	return set && strcmp(set, value) == 0;
}

static int count_items(const char *list)
{
	int count = list ? 1 : 0;

	for (; list && *list; list++)
		count += *list == ',';
	return count;
}

/* Item `index` of a list with commas between; NULL: empty. False: no memory. */
static bool take_item(const char *list, int index, char **out)
{
	size_t n;

	*out = NULL;
	for (; list && index; index--)
		list = strchr(list, ',') + 1;
	n = list ? strcspn(list, ",") : 0;
	if (n)
		*out = strndup(list, n);
	return !n || *out;
}

/* What a place does not say would be taken from the URL's lists again. False: it cannot be said. */
static bool say_all(struct db_place *place, bool one_of_many, bool *no_memory)
{
	/* A path, or an abstract socket's name, is none that is resolved. */
	place->named = place->host && !place->address && !strchr("/@", *place->host);
	if (place->named && resolve_is_address(place->host)) {
		place->named = false;
		place->address = strdup(place->host);
		*no_memory = *no_memory || !place->address;
	}
	if (!one_of_many)
		return true;
	if (!place->host && place->address) {
		place->host = strdup(place->address);
		*no_memory = *no_memory || !place->host;
	}
	if (!place->port) {
		place->port = strdup(DEFAULT_PORT);
		*no_memory = *no_memory || !place->port;
	}
	return place->host != NULL;
}

static enum status read_hosts(const PQconninfoOption *options, struct db_places *out)
{
	const char *hosts = option(options, "host"), *addresses = option(options, "hostaddr"),
		   *ports = option(options, "port");
	int count = addresses ? count_items(addresses) : count_items(hosts), i;
	bool no_memory = false, said = true;

	/* Where the lists do not match, libpq says so. */
	if (count < 1 || count > DB_PLACES || (hosts && count_items(hosts) != count) ||
	    (count_items(ports) > 1 && count_items(ports) != count))
		return STATUS_OK;
	for (i = 0; i < count && said && !no_memory; i++) {
		struct db_place *place = &out->all[i];

		no_memory = !take_item(hosts, i, &place->host) ||
			    !take_item(addresses, i, &place->address) ||
			    !take_item(ports, count_items(ports) > 1 ? i : 0, &place->port);
		said = say_all(place, count > 1, &no_memory) &&
		       (!addresses || place->address || place->named);
	}
	if (!said) { /* a default socket, or one among addresses: then libpq tries them itself */
		db_places_clear(out);
		count = 1;
	}
	out->count = count;
	return no_memory ? STATUS_NOMEM : STATUS_OK;
}

enum status db_places_read(const char *url, struct db_places *out)
{
	PQconninfoOption *options = read_options(url);
	enum status status;

	if (!options)
		return STATUS_NOMEM;
	*out = (struct db_places){ .count = 1 };
	status = read_hosts(options, out);
	out->standby_first = option_is(options, "target_session_attrs", "prefer-standby");
	out->shuffled = option_is(options, "load_balance_hosts", "random");
	out->keepalives = option(options, "keepalives") || option(options, "keepalives_idle") ||
			  option(options, "keepalives_interval") ||
			  option(options, "keepalives_count");
	out->user_timeout = option(options, "tcp_user_timeout");
	PQconninfoFree(options);
	if (status)
		db_places_clear(out);
	return status;
}

void db_places_clear(struct db_places *places)
{
	int i;

	for (i = 0; i < DB_PLACES; i++) {
		free(places->all[i].host);
		free(places->all[i].address);
		free(places->all[i].port);
	}
	*places = (struct db_places){ 0 };
}
