/* The settings: where they come from, names that are none, and values that do not go together. */
#include "doctor/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor/model_steps.h"
#include "edge/settings_names.h"

#define CHECK "settings"
#define NAME_MOST 64
#define ALIKE 4		     /* letters that a slip of the fingers changes */
#define PROXY_PATIENCE 60000 /* what most web servers and proxies wait for a silent program */

static int least_of(int a, int b, int c)
{
	int least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance: letters to change, add or leave out. */
static int distance(const char *a, const char *b)
{
	size_t n = strlen(b), i, j;
	int row[NAME_MOST + 1], before, above;

	if (n > NAME_MOST)
		return NAME_MOST;
	for (j = 0; j <= n; j++)
		row[j] = (int)j;
	for (i = 0; a[i]; i++) {
		before = row[0];
		row[0] = (int)i + 1;
		for (j = 1; j <= n; j++) {
			above = row[j];
			row[j] = least_of(row[j] + 1, row[j - 1] + 1, before + (a[i] != b[j - 1]));
			before = above;
		}
	}
	return row[n];
}

/* A variable that no setting is named by: probably one that was meant to be. */
static void see_name(struct doctor *doctor, const char *name)
{
	char nearest[NAME_MOST] = "", with_file[NAME_MOST];
	struct config_entry entry;
	int least = ALIKE + 1, apart;
	size_t i;

	if (settings_naming_of(str_from(name)) != SETTINGS_NONE)
		return;
	for (i = 0; config_entry_at(i, &entry); i++) {
		snprintf(with_file, sizeof(with_file), "%s" SETTINGS_FILE_SUFFIX, entry.name);
		apart = distance(name, entry.name);
		if (apart < least) {
			least = apart;
			snprintf(nearest, sizeof(nearest), "%s", entry.name);
		}
		apart = entry.secret ? distance(name, with_file) : least;
		if (apart < least) {
			least = apart;
			snprintf(nearest, sizeof(nearest), "%s", with_file);
		}
	}
	report_find(doctor->report, REPORT_WARNING, CHECK, "%s in the environment is no setting",
		    name);
	if (*nearest)
		report_step(doctor->report, "%s, if that was meant; else remove it", nearest);
	else
		report_step(doctor->report, "remove it; banter.fcgi --help lists all settings");
}

static void see_names(struct doctor *doctor)
{
	char name[NAME_MOST];
	char **at;
	size_t n;

	for (at = environ; at && *at; at++) {
		n = strcspn(*at, "=");
		if (strncmp(*at, "BANTER_", 7) != 0 || n >= sizeof(name))
			continue;
		memcpy(name, *at, n);
		name[n] = '\0';
		see_name(doctor, name);
	}
}

/* Who raised it meant a slow starter, which answers in one piece do not wait for. */
static void see_first_time(struct doctor *doctor, const struct model_server *server)
{
	char setting[MODEL_SETTING_SIZE];
	int64_t json_ms = doctor->config->json_ms;

	if (server->first_ms <= json_ms || server->first_ms <= PROXY_PATIENCE)
		return;
	report_find(doctor->report, REPORT_WARNING, CHECK,
		    "%s is %" PRId64 " s, but an answer in one piece ends after %" PRId64
		    " s; only streams wait so long",
		    model_setting(server, "FIRST_TIME", &setting), server->first_ms / 1000,
		    json_ms / 1000);
	report_step(doctor->report,
		    "nothing, if clients stream; else BANTER_JSON_TIME=%" PRId64
		    "s, and the web server's limit above that",
		    server->first_ms / 1000 + 60);
}

static void see_times(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	size_t i;

	if (config->heartbeat_ms >= PROXY_PATIENCE) {
		report_find(doctor->report, REPORT_WARNING, CHECK,
			    "a stream may be silent for %" PRId64
			    " s; most web servers and proxies cut one after 60 s",
			    config->heartbeat_ms / 1000);
		report_step(doctor->report, "BANTER_HEARTBEAT=15s");
	}
	if (config->json_ms >= PROXY_PATIENCE) {
		report_find(doctor->report, REPORT_WARNING, CHECK,
			    "an answer in one piece may take %" PRId64
			    " s without a byte; most web servers and proxies give up after 60 s",
			    config->json_ms / 1000);
		report_step(doctor->report, "BANTER_JSON_TIME=50s, or their limits above yours");
	}
	if (config->exchange_ms < config->json_ms) {
		report_find(doctor->report, REPORT_WARNING, CHECK,
			    "BANTER_EXCHANGE_TIME is shorter than BANTER_JSON_TIME: streams end "
			    "before other answers do");
		report_step(doctor->report, "BANTER_EXCHANGE_TIME=600s");
	}
	if (config->database_connect_ms > config->database_ms) {
		report_find(doctor->report, REPORT_WARNING, CHECK,
			    "BANTER_DATABASE_CONNECT_TIME is longer than BANTER_DATABASE_TIME, "
			    "which it is a part of");
		report_step(doctor->report, "BANTER_DATABASE_CONNECT_TIME=2s");
		report_step(doctor->report, "BANTER_DATABASE_TIME=2.5s");
	}
	for (i = 0; i < config->model_server_count; i++)
		see_first_time(doctor, &config->model_servers[i]);
}

void doctor_settings(struct doctor *doctor)
{
	if (doctor->call->file)
		report_find(doctor->report, REPORT_OK, CHECK, "from %s and the environment",
			    doctor->call->file);
	else
		report_find(doctor->report, REPORT_OK, CHECK,
			    "from the environment; no --config was given");
	see_names(doctor);
	see_times(doctor);
}
