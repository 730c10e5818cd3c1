/* URL and password, which a file may give anew.  When to ask for that is db_connect.c's. */
#include "edge/db_secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "edge/settings_file.h"

#define CAP 65536

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

enum status db_secrets_init(struct db_secrets *secrets, const struct db_target *target)
{
	*secrets = (struct db_secrets){
		.url = copy(target->url),
		.password = copy(target->password),
		.url_file = copy(target->url_file),
		.password_file = copy(target->password_file),
	};
	if (secrets->url && secrets->password && secrets->url_file && secrets->password_file)
		return STATUS_OK;
	db_secrets_clear(secrets);
	return STATUS_NOMEM;
}

void db_secrets_clear(struct db_secrets *secrets)
{
	wipe(secrets->url); /* it may have the password in it */
	wipe(secrets->password);
	free(secrets->url_file);
	free(secrets->password_file);
	*secrets = (struct db_secrets){ 0 };
}

/* True if the file has other words than `*kept`, which are then those. */
static bool take_again(const char *path, char **kept)
{
	char *fresh = NULL;
	struct buf text;

	if (!*path)
		return false;
	buf_init(&text, CAP);
	if (settings_file_read_secret(path, &text) == STATUS_OK &&
	    !str_equal(buf_view(&text), str_from(*kept)))
		fresh = strdup(buf_text(&text));
	if (fresh) {
		wipe(*kept);
		*kept = fresh;
	}
	buf_wipe(&text);
	return fresh != NULL;
}

bool db_secrets_read_again(struct db_secrets *secrets, bool *url)
{
	bool password = take_again(secrets->password_file, &secrets->password);

	*url = take_again(secrets->url_file, &secrets->url);
	return *url || password;
}
