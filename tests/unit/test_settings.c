/* edge/settings: where values come from, which one wins, and that secrets leave no trace. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "edge/settings.h"

#define KEY "sk-do-not-show-me"

struct fixture {
	char folder[64], file[80], secret[80], servers[80];
};

static int make_fixture(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	clearenv();
	strcpy(fixture->folder, "/tmp/banter-settings.XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->file, sizeof(fixture->file), "%s/conf", fixture->folder);
	snprintf(fixture->secret, sizeof(fixture->secret), "%s/secret", fixture->folder);
	snprintf(fixture->servers, sizeof(fixture->servers), "%s/servers", fixture->folder);
	*state = fixture;
	return 0;
}

static int remove_fixture(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->file);
	unlink(fixture->secret);
	unlink(fixture->servers);
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

static void write_file(const char *path, const void *bytes, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text), 0600);
}

/* stderr goes to a file from here; listen_end() gives what was logged. */
static int listen_begin(int *kept)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	*kept = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	return fd;
}

static void listen_end(int fd, int kept, char *text, size_t size)
{
	ssize_t n;

	dup2(kept, STDERR_FILENO);
	close(kept);
	n = pread(fd, text, size - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
}

/* Settings of the environment as it is now, and of a file. */
static struct settings *settings_of(const char *file)
{
	struct settings *settings = NULL;

	assert_int_equal(settings_new(file, &settings), STATUS_OK);
	return settings;
}

static void assert_refused(const struct settings *settings, const char *a, const char *b)
{
	struct config config;
	struct buf why;

	memset(&config, 0x5a, sizeof(config));
	buf_init(&why, 1000);
	assert_int_equal(settings_load(settings, &config, &why), STATUS_INVALID);
	if (!strstr(buf_text(&why), a) || !strstr(buf_text(&why), b))
		print_error("\"%s\" does not name %s and %s\n", buf_text(&why), a, b);
	assert_non_null(strstr(buf_text(&why), a));
	assert_non_null(strstr(buf_text(&why), b));
	assert_null(strstr(buf_text(&why), KEY));
	assert_int_equal(config.workers.most, 0x5a5a5a5a5a5a5a5a); /* untouched */
	buf_clear(&why);
}

static void load(const struct settings *settings, struct config *config)
{
	struct buf why;

	buf_init(&why, 1000);
	if (settings_load(settings, config, &why) != STATUS_OK)
		fail_msg("%s", buf_text(&why));
	assert_int_equal(why.len, 0);
	buf_clear(&why);
}

static void nearer_sources_win(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings;
	struct config config;

	setenv("BANTER_WORKERS", "3", 1);
	setenv("BANTER_BACKLOG", "30", 1);
	setenv("BANTER_MODEL", "env", 1);
	write_text(fixture->file, "# of the file\nBANTER_BACKLOG=40\nBANTER_MODEL = \"file\"\n");
	settings = settings_of(fixture->file);
	assert_int_equal(settings_override(settings, "BANTER_MODEL", "line"), STATUS_OK);
	load(settings, &config);
	assert_int_equal(config.address_limit, 30); /* a default */
	assert_int_equal(config.workers.most, 3);
	assert_int_equal(config.backlog, 40);
	assert_string_equal(config.model, "line");
	config_clear(&config);
	/* The environment is as it was at the start; the file is read again. */
	setenv("BANTER_WORKERS", "5", 1);
	write_text(fixture->file, "BANTER_BACKLOG=41\n");
	load(settings, &config);
	assert_int_equal(config.workers.most, 3);
	assert_int_equal(config.backlog, 41);
	config_clear(&config);
	settings_free(settings);
	settings_free(NULL);
}

static void other_names_count_when_unset(void **state)
{
	struct settings *settings;
	struct config config;

	(void)state;
	setenv("OPENAI_API_KEY", "other", 1);
	setenv("PGPASSWORD", "pg", 1);
	settings = settings_of(NULL);
	load(settings, &config);
	assert_string_equal(config.model_servers[0].key, "other");
	assert_string_equal(config.database_password, "pg");
	config_clear(&config);
	settings_free(settings);
	setenv("OPENAI_API_KEY", "other", 1);
	setenv("BANTER_MODEL_KEY", "own", 1);
	settings = settings_of(NULL);
	load(settings, &config);
	assert_string_equal(config.model_servers[0].key, "own");
	assert_string_equal(config.database_password, "");
	assert_null(getenv("OPENAI_API_KEY"));
	assert_null(getenv("BANTER_MODEL_KEY"));
	config_clear(&config);
	settings_free(settings);
}

static void errors_say_where(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings;

	setenv("BANTER_WORKERS", "many", 1);
	settings = settings_of(NULL);
	assert_refused(settings, "the environment", "BANTER_WORKERS");
	settings_free(settings);
	unsetenv("BANTER_WORKERS");

	write_text(fixture->file, "\nBANTER_WORKERS=none\n");
	settings = settings_of(fixture->file);
	assert_refused(settings, fixture->file, "line 2: BANTER_WORKERS");
	write_text(fixture->file, "BANTER_WORKRES=3\n");
	assert_refused(settings, "line 1: ", "BANTER_WORKRES");
	unlink(fixture->file);
	assert_refused(settings, fixture->file, "No such file");
	write_text(fixture->file, "");
	assert_int_equal(settings_override(settings, "BANTER_WORKERS", "0"), STATUS_OK);
	assert_refused(settings, "the command line", "BANTER_WORKERS");
	settings_free(settings);
	settings = settings_of(fixture->folder);
	assert_refused(settings, fixture->folder, "Is a directory");
	settings_free(settings);
}

static void secrets_come_from_files(void **state)
{
	static const struct {
		const char *content, *expected;
	} cases[] = {
		{ KEY "\n", KEY }, { KEY "\r\n", KEY }, { KEY, KEY },
		{ "\n", "" },	   { "", "" },		{ " a b ", " a b " },
	};
	struct fixture *fixture = *state;
	struct settings *settings;
	struct config config;
	char line[128];
	size_t i;

	setenv("BANTER_MODEL_KEY_FILE", fixture->secret, 1);
	setenv("OPENAI_API_KEY", "other", 1);
	settings = settings_of(NULL);
	for (i = 0; i < COUNT(cases); i++) {
		write_text(fixture->secret, cases[i].content);
		load(settings, &config);
		assert_string_equal(config.model_servers[0].key, cases[i].expected);
		config_clear(&config);
	}
	write_file(fixture->secret, KEY "\0x", sizeof(KEY) + 1, 0600);
	assert_refused(settings, "BANTER_MODEL_KEY_FILE", "not a text file");
	unlink(fixture->secret);
	assert_refused(settings, "BANTER_MODEL_KEY_FILE", "No such file");
	/* The file of settings wins over the environment here too. */
	settings_free(settings);
	settings = settings_of(fixture->file);
	write_text(fixture->secret, KEY);
	write_text(fixture->file, "BANTER_MODEL_KEY=inline\n");
	load(settings, &config);
	assert_string_equal(config.model_servers[0].key, "inline");
	config_clear(&config);
	snprintf(line, sizeof(line), "BANTER_DATABASE_URL_FILE='%s'\n", fixture->secret);
	write_text(fixture->file, line);
	load(settings, &config);
	assert_string_equal(config.database_url, KEY);
	config_clear(&config);
	write_text(fixture->file, "\nBANTER_DATABASE_URL_FILE=/nonexistent\n");
	assert_refused(settings, "line 2: ", "BANTER_DATABASE_URL_FILE: /nonexistent");
	/* Only secrets have files. */
	write_text(fixture->file, "BANTER_MODEL_FILE=/etc/hostname\n");
	assert_refused(settings, "line 1: ", "BANTER_MODEL_FILE");
	settings_free(settings);
}

/* Whoever writes the file sees its folder; where the program runs, a web server may decide. */
static void a_relative_path_of_a_file_begins_in_its_folder(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings = settings_of(fixture->file);
	char expected[256];
	struct config config;

	write_text(fixture->secret, KEY "\n");
	write_text(fixture->file, "BANTER_MODEL_KEY_FILE=secret\nBANTER_SHARED_FILE=x/shared\n"
				  "BANTER_LOG=log\nBANTER_MODEL_CA=\n");
	load(settings, &config);
	assert_string_equal(config.model_servers[0].key, KEY);
	snprintf(expected, sizeof(expected), "%s/x/shared", fixture->folder);
	assert_string_equal(config.shared_file, expected);
	snprintf(expected, sizeof(expected), "%s/log", fixture->folder);
	assert_string_equal(config.log, expected);
	assert_string_equal(config.model_servers[0].ca, "");
	config_clear(&config);
	write_text(fixture->file, "BANTER_LOG=syslog\n");
	load(settings, &config);
	assert_string_equal(config.log, "syslog");
	config_clear(&config);
	write_text(fixture->file, "\nBANTER_MODEL_KEY_FILE=none\n");
	snprintf(expected, sizeof(expected), "%s/none cannot be read", fixture->folder);
	assert_refused(settings, "line 2: BANTER_MODEL_KEY_FILE: ", expected);
	write_text(fixture->file, "\nBANTER_LOG=a/\n");
	assert_refused(settings, "line 2: BANTER_LOG must be", "path of a file");
	settings_free(settings);
	/* The file itself may be named so. */
	assert_int_equal(chdir(fixture->folder), 0);
	write_text(fixture->file, "BANTER_MODEL_KEY_FILE=secret\n");
	settings = settings_of("conf");
	load(settings, &config);
	assert_string_equal(config.model_servers[0].key, KEY);
	config_clear(&config);
	settings_free(settings);
	assert_int_equal(chdir("/"), 0);
	setenv("BANTER_LOG", "log", 1);
	settings = settings_of(NULL);
	assert_refused(settings, "the environment: ", "BANTER_LOG");
	settings_free(settings);
}

static void both_ways_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings;

	write_text(fixture->secret, KEY);
	setenv("BANTER_MODEL_KEY_FILE", fixture->secret, 1);
	setenv("BANTER_MODEL_KEY", KEY, 1);
	settings = settings_of(NULL);
	assert_refused(settings, "BANTER_MODEL_KEY and BANTER_MODEL_KEY_FILE", "the environment");
	settings_free(settings);
	clearenv();
	settings = settings_of(fixture->file);
	write_text(fixture->file, "BANTER_MODEL_KEY=" KEY "\nBANTER_MODEL_KEY_FILE=/x\n");
	assert_refused(settings, "line 2: ", "BANTER_MODEL_KEY and BANTER_MODEL_KEY_FILE");
	write_text(fixture->file, "BANTER_MODEL_KEY_FILE=/dev/null\nBANTER_MODEL_KEY=" KEY "\n");
	assert_refused(settings, "line 2: ", "BANTER_MODEL_KEY and BANTER_MODEL_KEY_FILE");
	settings_free(settings);
}

static void warns_of_typos_and_open_files(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings;
	struct config config;
	char text[2048];
	int fd, kept;

	setenv("BANTER_WORKRES", KEY, 1);
	setenv("BANTER_WORKERS", "3", 1);
	setenv("OTHER", KEY, 1);
	write_file(fixture->file, "BANTER_MODEL=x\n", 15, 0644);
	fd = listen_begin(&kept);
	settings = settings_of(fixture->file);
	load(settings, &config);
	listen_end(fd, kept, text, sizeof(text));
	config_clear(&config);
	assert_non_null(strstr(text, "warning"));
	assert_non_null(strstr(text, "BANTER_WORKRES"));
	assert_null(strstr(text, "BANTER_WORKERS"));
	assert_null(strstr(text, "OTHER"));
	assert_null(strstr(text, KEY));
	assert_null(strstr(text, fixture->file)); /* no secrets in it */
	assert_string_equal(getenv("OTHER"), KEY);

	write_file(fixture->file, "BANTER_MODEL_KEY=" KEY, 17 + strlen(KEY), 0644);
	fd = listen_begin(&kept);
	load(settings, &config);
	listen_end(fd, kept, text, sizeof(text));
	config_clear(&config);
	assert_non_null(strstr(text, "warning"));
	assert_non_null(strstr(text, fixture->file));
	assert_null(strstr(text, KEY));
	settings_free(settings);
}

static void model_servers_come_from_their_file(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings;
	struct config config;
	char text[512];

	setenv("BANTER_MODEL_SERVERS", fixture->servers, 1);
	setenv("BANTER_MODEL_KEY", "ours", 1);
	settings = settings_of(NULL);
	write_text(fixture->secret, KEY "\n");
	snprintf(text, sizeof(text),
		 "# two\n[local]\nURL=http://127.0.0.1:1/v1\nKEY=inline\n\n[hosted]\n"
		 "URL = https://a.example/v1\nKEY_FILE=%s\nMODELS=a=b\n",
		 fixture->secret);
	write_text(fixture->servers, text);
	load(settings, &config);
	assert_int_equal(config.model_server_count, 3);
	assert_string_equal(config.model_servers[0].key, "ours");
	assert_string_equal(config.model_servers[1].name, "local");
	assert_string_equal(config.model_servers[1].key, "inline");
	assert_string_equal(config.model_servers[2].name, "hosted");
	assert_string_equal(config.model_servers[2].key, KEY);
	assert_string_equal(config.model_servers[2].models, "a=b");
	config_clear(&config);
	/* It is read again, and may be named by the file of settings. */
	write_text(fixture->servers, "");
	load(settings, &config);
	assert_int_equal(config.model_server_count, 1);
	config_clear(&config);
	settings_free(settings);
	clearenv();
	settings = settings_of(fixture->file);
	snprintf(text, sizeof(text), "BANTER_MODEL_SERVERS=%s\n", fixture->servers);
	write_text(fixture->file, text);
	write_text(fixture->servers, "[a]\nURL=http://h/v1\n");
	load(settings, &config);
	assert_non_null(config_model_server(&config, STR("a")));
	config_clear(&config);
	settings_free(settings);
}

static void errors_say_where_among_the_servers(void **state)
{
	static const struct {
		const char *text, *a, *b;
	} cases[] = {
		{ "[a]\nURL=" KEY "\n", "line 2: [a] URL must be http(s)", "" },
		{ "[a]\nURL=http://h\nOPEN=" KEY, "line 3: [a] OPEN must be a whole number", "" },
		{ "[a]\n" KEY "\n", "line 2: [a] must be [NAME], NAME=value", "" },
		{ "[a]\nSERVERS=/x\n", "line 2: [a] unknown name: a server has URL, KEY", "" },
		{ "[a]\nBANTER_URL=x\n", "line 2: [a] unknown name", "" },
		{ "URL=http://h\n", "line 1: a line [NAME] must stand above it", "" },
		{ "[" KEY "!]\n", "line 1: a server's name must be 1 to 64 letters", "" },
		{ "[default]\n", "line 1: [default] is the server of BANTER_MODEL_URL", "" },
		{ "[a]\nURL=http://h\n[a]\n", "line 3: [a] stands above already", "" },
		{ "[a]\nKEY=" KEY "\nKEY_FILE=/dev/null\n",
		  "line 3: [a] KEY and KEY_FILE are both set: leave one", "" },
		{ "[a]\nHEADERS_FILE=/nonexistent\n",
		  "line 2: [a] HEADERS_FILE: /nonexistent cannot be read", "No such file" },
		{ "[a]\nKEY=" KEY "\n", "[a] has no URL", "" },
	};
	struct fixture *fixture = *state;
	struct settings *settings;
	size_t i;

	setenv("BANTER_MODEL_SERVERS", fixture->servers, 1);
	settings = settings_of(NULL);
	assert_refused(settings, fixture->servers, "cannot be read: No such file");
	for (i = 0; i < COUNT(cases); i++) {
		write_text(fixture->servers, cases[i].text);
		assert_refused(settings, fixture->servers, "BANTER_MODEL_SERVERS: ");
		assert_refused(settings, cases[i].a, cases[i].b);
	}
	settings_free(settings);
}

static void each_server_has_its_own_secrets(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings;
	struct config config;
	char text[2048];
	int fd, kept;

	setenv("BANTER_MODEL_SERVERS", fixture->servers, 1);
	settings = settings_of(NULL);
	write_text(fixture->secret, KEY);
	snprintf(text, sizeof(text), "[a]\nURL=http://h\nKEY=x\n[b]\nURL=http://h\nKEY_FILE=%s\n",
		 fixture->secret);
	write_file(fixture->servers, text, strlen(text), 0644);
	fd = listen_begin(&kept);
	load(settings, &config);
	listen_end(fd, kept, text, sizeof(text));
	config_clear(&config);
	assert_non_null(strstr(text, "servers holds secrets and everybody may read it: chmod o-r"));
	write_file(fixture->servers, "[a]\nURL=http://h\n", 17, 0644);
	fd = listen_begin(&kept);
	load(settings, &config);
	listen_end(fd, kept, text, sizeof(text));
	config_clear(&config);
	assert_string_equal(text, "");
	settings_free(settings);
}

/* As a process of its own, since /proc shows the environment a program was started with. */
static int show_environment(void)
{
	struct settings *settings = NULL;
	struct config config;
	char bytes[8192];
	struct buf why;
	ssize_t n;
	int fd;

	buf_init(&why, 1000);
	if (settings_new(NULL, &settings) != STATUS_OK ||
	    settings_load(settings, &config, &why) != STATUS_OK)
		return 2;
	fd = open("/proc/self/environ", O_RDONLY);
	n = read(fd, bytes, sizeof(bytes));
	if (n <= 0 || write(STDOUT_FILENO, bytes, (size_t)n) != n)
		return 3;
	close(fd);
	n = strcmp(config.model_servers[0].key, KEY) || strcmp(config.database_url, KEY) ||
	    strcmp(config.database_password, KEY);
	config_clear(&config);
	settings_free(settings);
	return n ? 4 : 0;
}

static void proc_shows_no_secret(void **state)
{
	/* One twice: only the first counts, but the second is to be wiped too. */
	char *environment[] = {
		"A=1",
		"BANTER_MODEL_KEY=" KEY,
		"OPENAI_API_KEY=" KEY "2",
		"BANTER_MODEL=shown",
		"BANTER_DATABASE_URL=" KEY,
		"PGPASSWORD=" KEY,
		"BANTER_MODEL_KEY=" KEY "3",
		"Z=9",
		NULL,
	};
	char *arguments[] = { "test_settings", "--show-environment", NULL };
	char bytes[8192];
	int fds[2], result;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		execve("/proc/self/exe", arguments, environment);
		_exit(9);
	}
	close(fds[1]);
	while ((got = read(fds[0], bytes + n, sizeof(bytes) - n)) > 0)
		n += (size_t)got;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_int_equal(result, 0);
	assert_non_null(memmem(bytes, n, "A=1", 3));
	assert_non_null(memmem(bytes, n, "Z=9", 3));
	assert_non_null(memmem(bytes, n, "BANTER_MODEL=shown", 18));
	assert_null(memmem(bytes, n, KEY, strlen(KEY)));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, make_fixture, remove_fixture)
		WITH_FIXTURE(nearer_sources_win),
		WITH_FIXTURE(other_names_count_when_unset),
		WITH_FIXTURE(errors_say_where),
		WITH_FIXTURE(secrets_come_from_files),
		WITH_FIXTURE(both_ways_are_refused),
		WITH_FIXTURE(warns_of_typos_and_open_files),
		WITH_FIXTURE(proc_shows_no_secret),
		WITH_FIXTURE(model_servers_come_from_their_file),
		WITH_FIXTURE(errors_say_where_among_the_servers),
		WITH_FIXTURE(each_server_has_its_own_secrets),
		WITH_FIXTURE(a_relative_path_of_a_file_begins_in_its_folder),
	};

	if (argc == 2 && !strcmp(argv[1], "--show-environment"))
		return show_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
