/*
 * Reading the command line and the files it names. Secrets come from files only.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "text.h"

enum { FILE_MAX = 1 << 20 };

static const struct voice {
	const char *name;
	int64_t delay;
} voices[] = {
	{ "friendly", 30000000 },
	{ "quick", 0 },
};

static const char help[] =
	"usage: banter-model --listen HOST:PORT [options]\n"
	"A stand-in for a model that speaks OpenAI's chat completions protocol.\n"
	"\n"
	"  --listen HOST:PORT   where to listen; port 0 picks a free one\n"
	"  --tls-cert FILE      speak https with this certificate (PEM) ...\n"
	"  --tls-key FILE       ... and this key (PEM)\n"
	"  --key-file FILE      demand this key: Authorization: Bearer KEY\n"
	"  --voice NAME         friendly: 30 ms a word; quick: no delay (the default)\n"
	"  --help               this text\n";

void options_print_help(void)
{
	fputs(help, stdout);
}

static enum status complain(const char *what, const char *value)
{
	fprintf(stderr, "banter-model: %s: %s\n", what, value);
	return STATUS_INVALID;
}

static enum status read_file(const char *path, char **contents)
{
	FILE *file = fopen(path, "re");
	struct text text = { 0 };
	char block[4096];
	size_t got;

	if (file == NULL)
		return complain(path, strerror(errno));
	while ((got = fread(block, 1, sizeof(block), file)) > 0 && text.len < FILE_MAX)
		text_add(&text, block, got);
	if (ferror(file) != 0) {
		fclose(file);
		text_clear(&text);
		return complain(path, "cannot be read");
	}
	fclose(file);
	free(*contents);
	*contents = text_take(&text);
	return *contents != NULL ? STATUS_OK : complain(path, "out of memory");
}

static enum status read_key(const char *path, char **key)
{
	enum status status = read_file(path, key);
	size_t len;

	if (status != STATUS_OK)
		return status;
	len = strcspn(*key, "\r\n");
	(*key)[len] = '\0';
	return len > 0 ? STATUS_OK : complain(path, "holds no key");
}

static enum status read_address(struct options *options, const char *value)
{
	char *host, *colon;

	free(options->address);
	options->address = host = strdup(value);
	if (host == NULL)
		return complain("--listen", "out of memory");
	colon = strrchr(host, ':');
	if (colon == NULL || colon[1] == '\0')
		return complain("--listen needs HOST:PORT", value);
	*colon = '\0';
	if (host[0] == '[' && colon > host && colon[-1] == ']') {
		colon[-1] = '\0';
		host++;
	}
	options->host = host;
	options->port = colon + 1;
	return STATUS_OK;
}

static enum status read_voice(struct options *options, const char *value)
{
	for (size_t i = 0; i < COUNT(voices); i++) {
		if (strcmp(voices[i].name, value) == 0) {
			options->voice_delay = voices[i].delay;
			return STATUS_OK;
		}
	}
	return complain("--voice is friendly or quick, not", value);
}

static enum status read_option(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'l':
		return read_address(options, value);
	case 'c':
		return read_file(value, &options->tls_cert);
	case 'p':
		return read_file(value, &options->tls_key);
	case 'k':
		return read_key(value, &options->key);
	case 'v':
		return read_voice(options, value);
	case 'h':
		options->help = true;
		return STATUS_OK;
	default:
		return STATUS_INVALID; /* getopt has said why */
	}
}

enum status options_parse(struct options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "tls-cert", required_argument, NULL, 'c' },
		{ "tls-key", required_argument, NULL, 'p' },
		{ "key-file", required_argument, NULL, 'k' },
		{ "voice", required_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*options = (struct options){ 0 };
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1)
		if (read_option(options, option, optarg) != STATUS_OK)
			return STATUS_INVALID;
	if (options->help)
		return STATUS_OK;
	if (optind < argc)
		return complain("no such argument", argv[optind]);
	if (options->address == NULL)
		return complain("--listen HOST:PORT is missing", "see --help");
	if ((options->tls_cert == NULL) != (options->tls_key == NULL))
		return complain("https needs both", "--tls-cert and --tls-key");
	return STATUS_OK;
}

void options_clear(struct options *options)
{
	free(options->address);
	free(options->key);
	free(options->tls_cert);
	free(options->tls_key);
	*options = (struct options){ 0 };
}
