/* Who may read the files that hold secrets. */
#include "doctor/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/call.h"
#include "doctor/model_steps.h"
#include "edge/settings_names.h"
#include "wire/config_text.h"

#define FILE_CAP (1 << 20)

/* What is known of a file while its lines are read: of settings, or of model servers. */
struct file_reading {
	struct doctor *doctor;
	enum settings_naming (*naming_of)(struct str name);
	bool sections;	   /* it has them */
	struct str server; /* whose section it is in; absent: none */
	bool secrets;	   /* one stands in it */
};

static void see_rights(struct doctor *doctor, const char *path, const char *what)
{
	struct stat st;

	if (stat(path, &st)) {
		report_find(doctor->report, REPORT_WRONG, "files", "%s (%s): %s", path, what,
			    strerror(errno));
		report_step(doctor->report, "mend its path, or let this user read it");
		return;
	}
	if (!S_ISREG(st.st_mode))
		return; /* such as a pipe of the service manager's */
	if (st.st_mode & (S_IROTH | S_IWOTH)) {
		report_find(doctor->report, REPORT_WRONG, "files",
			    "everybody on this machine may %s %s (%s)",
			    st.st_mode & S_IROTH ? "read" : "write", path, what);
		report_step(doctor->report, "chmod o= %s", path);
	} else if (st.st_mode & S_IWGRP) {
		report_find(doctor->report, REPORT_WARNING, "files",
			    "the group of %s (%s) may write it", path, what);
		report_step(doctor->report, "chmod g-w %s", path);
	} else {
		report_find(doctor->report, REPORT_OK, "files", "%s (%s) is not for everybody",
			    path, what);
	}
}

static enum status see_line(void *context, struct str name, struct str value, struct buf *why)
{
	struct file_reading *reading = context;
	enum settings_naming naming = reading->naming_of(name);
	struct str server = reading->server;
	char *path = NULL, what[160];

	(void)why;
	if (naming == SETTINGS_SECRET && value.n)
		reading->secrets = true;
	if (naming != SETTINGS_FILE || !value.n)
		return STATUS_OK;
	snprintf(what, sizeof(what), "%s%.*s%s%.*s", server.n ? "[" : "", STR_ARGS(server),
		 server.n ? "] " : "", STR_ARGS(name));
	path = strndup(value.p, value.n);
	if (path)
		see_rights(reading->doctor, path, what);
	free(path);
	return STATUS_OK;
}

static enum status see_section(void *context, struct str name, struct buf *why)
{
	struct file_reading *reading = context;

	(void)why;
	reading->server = name;
	return STATUS_OK;
}

/* The file too, if secrets stand in it. */
static void see_lines(struct file_reading *reading, const char *file, const char *what)
{
	enum status status = STATUS_INVALID;
	struct buf text, why;

	buf_init(&text, FILE_CAP);
	buf_init(&why, 256);
	if (cli_read(file, &text) == CLI_DONE)
		status = reading->sections ? config_sections(buf_view(&text), see_section, see_line,
							     reading, &why)
					   : config_lines(buf_view(&text), see_line, reading, &why);
	if (status == STATUS_OK && reading->secrets)
		see_rights(reading->doctor, file, what);
	buf_wipe(&text);
	buf_clear(&why);
}

static void see_environment(struct doctor *doctor)
{
	char **at;
	size_t n;

	for (at = environ; at && *at; at++) {
		n = strcspn(*at, "=");
		if ((*at)[n] && (*at)[n + 1] &&
		    settings_naming_of((struct str){ *at, n }) == SETTINGS_FILE) {
			char *name = strndup(*at, n);

			if (name)
				see_rights(doctor, *at + n + 1, name);
			free(name);
		}
	}
}

static void see_ca(struct doctor *doctor, const struct model_server *server)
{
	char setting[MODEL_SETTING_SIZE];

	if (!*server->ca || !access(server->ca, R_OK))
		return;
	report_find(doctor->report, REPORT_WRONG, "files", "%s (%s): %s", server->ca,
		    model_setting(server, "CA", &setting), strerror(errno));
	report_step(doctor->report, "mend its path, or let this user read it");
}

void doctor_files(struct doctor *doctor)
{
	struct file_reading of_settings = { .doctor = doctor, .naming_of = settings_naming_of };
	struct file_reading of_servers = {
		.doctor = doctor,
		.naming_of = settings_naming_of_server,
		.sections = true,
	};
	const struct config *config = doctor->config;
	size_t i;

	if (doctor->call->file)
		see_lines(&of_settings, doctor->call->file, "the settings, with secrets");
	if (*config->model_servers_file)
		see_lines(&of_servers, config->model_servers_file,
			  "the model servers, with secrets");
	see_environment(doctor);
	for (i = 0; i < config->model_server_count; i++)
		see_ca(doctor, &config->model_servers[i]);
}
