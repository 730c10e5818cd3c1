/* The pool: its socket and who gets at it, the kernel's limits, and an exchange without a web server. */
#include "doctor/pool.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "doctor/fastcgi_client.h"
#include "doctor/question.h"
#include "doctor/tenant.h"

#define HEALTH_MS 15000
#define ANSWER_MS 60000
#define GROUPS 64
#define PATH_CAP 4096
#define WORKER_KB 3072 /* its own memory, and its backend's of PostgreSQL's */

/* The users web servers run as, in Debian and elsewhere. */
static const char *const web_users[] = {
	"www-data", "nginx", "apache", "http", "lighttpd", "caddy"
};

/* `bits` as of others: 1 to pass a folder, 2 to connect. */
static bool may(const struct passwd *user, const struct stat *st, unsigned bits)
{
	gid_t groups[GROUPS];
	int count = GROUPS, i;

	if (st->st_uid == user->pw_uid)
		return st->st_mode >> 6 & bits;
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		count = GROUPS;
	for (i = 0; i < count; i++)
		if (groups[i] == st->st_gid)
			return st->st_mode >> 3 & bits;
	return st->st_mode & bits;
}

/* The first folder on the way that the user may not pass, into `out`; false: there is none. */
static bool barred(const struct passwd *user, const char *path, char out[PATH_CAP])
{
	const char *slash = path;
	struct stat st;

	while ((slash = strchr(slash + 1, '/')) && slash - path < PATH_CAP) {
		memcpy(out, path, (size_t)(slash - path));
		out[slash - path] = '\0';
		if (stat(out, &st) == 0 && !may(user, &st, 1))
			return true;
	}
	return false;
}

static void see_web_user(struct doctor *doctor, const char *path, const struct stat *st)
{
	const struct passwd *user, *some = NULL;
	const struct group *group = getgrgid(st->st_gid);
	char folder[PATH_CAP];
	size_t i;

	for (i = 0; i < COUNT(web_users); i++) {
		user = getpwnam(web_users[i]);
		if (!user)
			continue;
		if (may(user, st, 2) && !barred(user, path, folder)) {
			report_find(doctor->report, REPORT_OK, "socket", "%s may connect",
				    web_users[i]);
			return;
		}
		some = user;
		break;
	}
	if (!some)
		return;
	if (barred(some, path, folder)) {
		report_find(doctor->report, REPORT_WARNING, "socket", "%s may not pass %s",
			    web_users[i], folder);
		report_step(doctor->report, "if that is your web server's user: chmod o+x %s",
			    folder);
		return;
	}
	report_find(doctor->report, REPORT_WARNING, "socket", "%s may not connect (mode %04o)",
		    web_users[i], (unsigned)st->st_mode & 0777);
	if (!group || !st->st_gid) /* nobody is to be made a member of root's group for this */
		report_step(
			doctor->report,
			"if that is your web server's user: run the pool in its group, or chgrp "
			"%s %s",
			web_users[i], path);
	else
		report_step(doctor->report,
			    "if that is your web server's user: usermod --append --groups %s %s, "
			    "then restart the web server",
			    group->gr_name, web_users[i]);
}

/* Whether a socket of that name still listens, where its file is gone: the kernel knows. */
static bool listened(const char *path)
{
	FILE *file = fopen("/proc/net/unix", "re");
	char line[PATH_CAP];
	bool found = false;
	char *at;

	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		at = strchr(line, '/');
		/* Flags: __SO_ACCEPTCON, it listens. */
		found = at && strcmp(at, path) == 0 && strstr(line, " 00010000 ");
	}
	if (file)
		fclose(file);
	return found;
}

static bool see_file(struct doctor *doctor, const char *path)
{
	struct stat st;

	if (stat(path, &st)) {
		report_find(doctor->report, REPORT_WRONG, "socket", "%s: %s%s", path,
			    strerror(errno),
			    listened(path) ? ", and a program listens on it all the same: the file "
					     "was removed"
					   : "");
		if (listened(path)) {
			report_step(doctor->report, "systemctl restart banter.socket where systemd "
						    "made it; else SIGHUP to banter.fcgi");
			return false;
		}
		report_step(doctor->report, "start banter.fcgi with the same settings, or mend "
					    "BANTER_LISTEN");
		return false;
	}
	if (!S_ISSOCK(st.st_mode)) {
		report_find(doctor->report, REPORT_WRONG, "socket", "%s is no socket", path);
		report_step(doctor->report, "mend BANTER_LISTEN");
		return false;
	}
	if (st.st_mode & S_IWOTH) {
		report_find(doctor->report, REPORT_WARNING, "socket",
			    "everybody on this machine may connect, and claim any client address");
		report_step(doctor->report,
			    "BANTER_SOCKET_MODE=0660, with the web server's user in the "
			    "pool's group");
	} else if (!doctor->url) { /* else the web server itself is asked, below */
		see_web_user(doctor, path, &st);
	}
	return true;
}

static void not_asked(struct doctor *doctor, const struct fastcgi_call *ask, enum status status)
{
	if (status == STATUS_UNAVAILABLE)
		report_find(doctor->report, REPORT_WRONG, "pool", "%s: %s", ask->address,
			    strerror(ask->error));
	else
		report_find(doctor->report, REPORT_WRONG, "pool", "%s: no answer to /health (%s)",
			    ask->address, status_name(status));
	if (ask->error == EACCES)
		report_step(doctor->report, "run doctor as root or as the pool's user");
	else if (status == STATUS_UNAVAILABLE)
		report_step(doctor->report, "start banter.fcgi with the same settings");
	else
		report_step(doctor->report,
			    "are all workers busy? BANTER_WORKERS; its log says more");
}

static void see_health(struct doctor *doctor)
{
	struct fastcgi_call ask = {
		.address = doctor->config->listen,
		.method = "GET",
		.body = STR(""),
		.deadline = clock_ms() + HEALTH_MS,
	};
	struct buf path;
	enum status status;

	buf_init(&path, PATH_CAP);
	buf_printf(&path, "%s/health", doctor->config->path_prefix);
	ask.path = buf_text(&path);
	status = fastcgi_client_ask(&ask);
	doctor->pool = status == STATUS_OK && ask.status == 200;
	if (status) {
		not_asked(doctor, &ask, status);
	} else if (doctor->pool) {
		report_find(doctor->report, REPORT_OK, "pool", "a worker answers on %s",
			    ask.address);
	} else {
		report_find(doctor->report, REPORT_WRONG, "pool", "/health on %s answers with %d",
			    ask.address, ask.status);
		report_step(doctor->report, "%s",
			    ask.status == 503 ? "its workers do not reach the database: does the "
						"pool have these settings? its log says more"
			    : ask.status == 404
				    ? "BANTER_PATH_PREFIX: the same here as for the pool"
				    : "see the pool's log");
	}
	buf_clear(&path);
}

static int64_t number_in(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	char line[256];
	int64_t number = -1;

	while (file && number < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, format, strlen(format)) == 0)
			number = strtoll(line + strlen(format), NULL, 10);
	if (file)
		fclose(file);
	return number;
}

static void see_limits(struct doctor *doctor)
{
	int64_t most = number_in("/proc/sys/net/core/somaxconn", "");
	int64_t memory = number_in("/proc/meminfo", "MemAvailable:");
	const struct config *config = doctor->config;
	struct rlimit files;

	if (most >= 0 && most < config->backlog) {
		report_find(doctor->report, REPORT_WARNING, "limits",
			    "the kernel keeps %" PRId64 " waiting connections, BANTER_BACKLOG "
			    "wants %" PRId64,
			    most, config->backlog);
		report_step(doctor->report,
			    "sysctl -w net.core.somaxconn=%" PRId64
			    ", and in /etc/sysctl.d for the next start",
			    config->backlog);
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    (int64_t)files.rlim_max < config->backlog + 64) {
		report_find(doctor->report, REPORT_WARNING, "limits",
			    "a process may open %" PRId64 " files; the admission process holds the "
			    "connections that wait",
			    (int64_t)files.rlim_max);
		report_step(doctor->report,
			    "LimitNOFILE=%" PRId64 " in the service, or fewer: "
			    "BANTER_BACKLOG",
			    config->backlog + 1024);
	}
	if (memory >= 0 && memory < config->workers.most * WORKER_KB) {
		report_find(doctor->report, REPORT_WARNING, "limits",
			    "%" PRId64 " MB of memory are free; %" PRId64
			    " workers and their connections to PostgreSQL may need %" PRId64,
			    memory / 1024, config->workers.most,
			    config->workers.most * WORKER_KB / 1024);
		report_step(doctor->report,
			    "fewer workers (BANTER_WORKERS), or PgBouncer in between");
	}
}

void doctor_pool(struct doctor *doctor)
{
	const char *address = doctor->config->listen;
	bool is_unix = strncmp(address, "unix:", 5) == 0;

	if (is_unix && *doctor->config->shared_file && access(address + 5, F_OK)) {
		report_find(doctor->report, REPORT_UNTRIED, "pool",
			    "the web server starts the workers: there is no socket of ours");
		return;
	}
	see_limits(doctor);
	if (!is_unix || see_file(doctor, address + 5))
		see_health(doctor);
}

static void on_body(void *context, struct str bytes)
{
	stream_view_feed(context, bytes, clock_ms());
}

static void see_stream(struct doctor *doctor, const struct fastcgi_call *ask, enum status status,
		       const struct stream_view *view)
{
	if (view->done && view->times.tokens) {
		doctor->by_pool = view->times;
		report_find(doctor->report, REPORT_OK, "exchange",
			    "at the socket: %d tokens in %d pieces over %" PRId64 " ms, and stored",
			    view->times.tokens, view->times.arrivals, stream_spread(&view->times));
		return;
	}
	if (ask->status != 200)
		report_find(doctor->report, REPORT_WRONG, "exchange",
			    "the pool answers with %d (%s)", ask->status, status_name(status));
	else
		report_find(doctor->report, REPORT_WRONG, "exchange", "the stream %s",
			    view->failed ? "ended in an error" : "was cut");
	report_step(doctor->report, "%s",
		    ask->status == 401 ? "does the pool use this database? its BANTER_DATABASE_URL"
		    : ask->status == 429 || ask->status == 402
			    ? "a limit or the key's credits are used up: try again later"
			    : "does the pool have these settings? its log says what happened");
}

void doctor_pool_exchange(struct doctor *doctor)
{
	struct stream_view view;
	struct fastcgi_call ask = {
		.address = doctor->config->listen,
		.method = "POST",
		.deadline = clock_ms() + ANSWER_MS,
		.bytes = on_body,
		.context = &view,
	};
	struct buf path, body;
	enum status status;

	if (!doctor->pool || !doctor->model) {
		report_find(doctor->report, REPORT_UNTRIED, "exchange", "%s",
			    !doctor->with_model ? "--no-model was given"
			    : doctor->pool	? "the model does not answer"
						: "no pool answers");
		return;
	}
	if (!doctor_tenant_take(doctor))
		return;
	buf_init(&path, PATH_CAP);
	buf_init(&body, PATH_CAP);
	buf_printf(&path, "%s/v1/chat/stream", doctor->config->path_prefix);
	buf_printf(&body, "{\"sessionId\":\"%s-pool\",\"message\":\"" DOCTOR_QUESTION "\"}",
		   doctor->tenant.session);
	stream_view_init(&view);
	ask.path = buf_text(&path);
	ask.body = buf_view(&body);
	ask.key = doctor->tenant.key;
	status = fastcgi_client_ask(&ask);
	see_stream(doctor, &ask, status, &view);
	stream_view_clear(&view);
	buf_clear(&path);
	buf_clear(&body);
}
