/* Who may read the files that hold secrets. */
#include "doctor/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/call.h"
#include "edge/settings_names.h"
#include "wire/config_text.h"

#define FILE_CAP (1 << 20)

/* What is known of the file while its lines are read. */
struct file_reading {
	struct doctor *doctor;
	bool secrets; /* one stands in it */
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
	char *path, *what;

	(void)why;
	if (settings_naming_of(name) == SETTINGS_SECRET && value.n)
		reading->secrets = true;
	if (settings_naming_of(name) != SETTINGS_FILE || !value.n)
		return STATUS_OK;
	path = strndup(value.p, value.n);
	what = strndup(name.p, name.n);
	if (path && what)
		see_rights(reading->doctor, path, what);
	free(path);
	free(what);
	return STATUS_OK;
}

static void see_config(struct doctor *doctor, const char *file)
{
	struct file_reading reading = { doctor, false };
	struct buf text, why;

	buf_init(&text, FILE_CAP);
	buf_init(&why, 256);
	if (cli_read(file, &text) == CLI_DONE &&
	    config_lines(buf_view(&text), see_line, &reading, &why) == STATUS_OK && reading.secrets)
		see_rights(doctor, file, "the settings, with secrets");
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

static void see_ca(struct doctor *doctor, const char *path)
{
	if (!*path || !access(path, R_OK))
		return;
	report_find(doctor->report, REPORT_WRONG, "files", "%s (BANTER_MODEL_CA): %s", path,
		    strerror(errno));
	report_step(doctor->report, "mend its path, or let this user read it");
}

void doctor_files(struct doctor *doctor)
{
	size_t i;

	if (doctor->call->file)
		see_config(doctor, doctor->call->file);
	see_environment(doctor);
	for (i = 0; i < doctor->config->model_server_count; i++)
		see_ca(doctor, doctor->config->model_servers[i].ca);
}
