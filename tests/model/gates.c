/*
 * The set of open gates, and the waiting before the others.
 */
#include "gates.h"

#include <json-c/json.h>

enum status gates_init(struct gates *gates, int stop)
{
	bell_init(&gates->bell, stop);
	gates->open = json_object_new_object();
	return gates->open != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void gates_clear(struct gates *gates)
{
	json_object_put(gates->open);
	bell_clear(&gates->bell);
}

enum status gates_open(struct gates *gates, const char *name)
{
	int failed;

	bell_lock(&gates->bell);
	failed = json_object_object_add(gates->open, name, NULL);
	bell_ring(&gates->bell);
	bell_unlock(&gates->bell);
	return failed == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status gates_reset(struct gates *gates)
{
	struct json_object *none = json_object_new_object();

	if (none == NULL)
		return STATUS_NO_MEMORY;
	bell_lock(&gates->bell);
	json_object_put(gates->open);
	gates->open = none;
	bell_unlock(&gates->bell);
	return STATUS_OK;
}

enum status gates_wait(struct gates *gates, const char *name, int client)
{
	struct listener listener;
	enum status status = STATUS_OK;

	bell_lock(&gates->bell);
	if (json_object_object_get_ex(gates->open, name, NULL))
		goto out;
	status = bell_listen(&gates->bell, &listener);
	if (status != STATUS_OK)
		goto out;
	while (status == STATUS_OK && !json_object_object_get_ex(gates->open, name, NULL))
		status = bell_wait(&gates->bell, &listener, client, MOMENT_NEVER);
	bell_ignore(&listener);
out:
	bell_unlock(&gates->bell);
	return status;
}
