/*
 * wire/config: a file of model servers. What was taken, written down again, is taken for the same; the default server
 * stays as it was; each name is one's alone; and a refusal is in words of ours, so that no value is in it.
 */
#include "fuzz.h"

#include "wire/config.h"
#include "wire/config_text.h"

#define WHY_MOST 1000

static enum status section(void *context, struct str name, struct buf *why)
{
	return config_add_server(context, name, why);
}

static enum status set(void *context, struct str name, struct str value, struct buf *why)
{
	struct config *config = context;

	if (config->model_server_count > 1)
		return config_set_server(config, name, value, why);
	buf_puts(why, "above all sections");
	return STATUS_INVALID;
}

static enum status read_file(struct str text, struct config *config, struct buf *why)
{
	must(config_init(config) == STATUS_OK);
	return config_sections(text, section, set, config, why);
}

static void put_text(const char *name, const char *value, struct buf *out)
{
	/* In quotes, of which one pair is taken away again; a line end between headers is a | there. */
	for (buf_printf(out, "%s=\"", name); *value; value++)
		buf_putc(out, *value == '\n' ? '|' : *value);
	buf_puts(out, "\"\n");
}

static void put_server(const struct model_server *server, struct buf *out)
{
	buf_printf(out, "[%s]\n", server->name);
	if (*server->url)
		put_text("URL", server->url, out);
	put_text("KEY", server->key, out);
	put_text("HEADERS", server->headers, out);
	put_text("MEMBERS", server->members, out);
	put_text("CA", server->ca, out);
	put_text("MODELS", server->models, out);
	buf_printf(out, "CONNECT_TIME=%lldms\nFIRST_TIME=%lldms\nIDLE_TIME=%lldms\nOPEN=%lld\n",
		   (long long)server->connect_ms, (long long)server->first_ms,
		   (long long)server->idle_ms, (long long)server->open_most);
}

/* All of them as a file. */
static void put_servers(const struct config *config, struct buf *out)
{
	size_t i;

	buf_init(out, 1 << 20);
	for (i = 1; i < config->model_server_count; i++)
		put_server(&config->model_servers[i], out);
	must(buf_check(out) == STATUS_OK);
}

static void taken_again(const struct config *config)
{
	struct config again;
	struct buf text, same, why;

	buf_init(&why, WHY_MOST);
	put_servers(config, &text);
	must(read_file(buf_view(&text), &again, &why) == STATUS_OK);
	put_servers(&again, &same);
	must(str_equal(buf_view(&same), buf_view(&text)));
	config_clear(&again);
	buf_clear(&text);
	buf_clear(&same);
	buf_clear(&why);
}

/* As a file without servers leaves it. */
static void default_is_untouched(const struct config *config)
{
	struct config fresh;
	struct buf one, other;

	must(config_init(&fresh) == STATUS_OK);
	buf_init(&one, 1 << 16);
	buf_init(&other, 1 << 16);
	put_server(&config->model_servers[0], &one);
	put_server(&fresh.model_servers[0], &other);
	must(str_equal(buf_view(&one), buf_view(&other)));
	config_clear(&fresh);
	buf_clear(&one);
	buf_clear(&other);
}

static void names_are_names(const struct config *config)
{
	const struct model_server *server;
	size_t i;

	must(config->model_server_count >= 1 && config->model_server_count <= CONFIG_MODEL_SERVERS);
	for (i = 0; i < config->model_server_count; i++) {
		server = &config->model_servers[i];
		must(*server->name && strlen(server->name) <= 64);
		must(str_only(str_from(server->name), STR("._-")));
		must(config_model_server(config, str_from(server->name)) == server);
	}
}

/* What a list names is there, under the name it says first; without a list, anything is. */
static void models_are_found(const struct model_server *server)
{
	struct str list = str_from(server->models), item, ours, found, before, theirs;

	must(model_server_serves(server, STR("\n"), &found) == !list.n);
	while (list.n && str_next(&list, ',', &item)) {
		str_next(&item, '=', &ours);
		must(model_server_serves(server, ours, &found));
		before = (struct str){ server->models, (size_t)(ours.p - server->models) };
		theirs = item.p ? item : ours;
		/* Further ones of the same name are never seen. */
		must(str_equal(found, theirs) || memmem(before.p, before.n, ours.p, ours.n));
	}
}

/* What stands in `why` behind the place: one of these, or a setting's row in words. */
static bool known_words(struct str words, const struct config *config)
{
	static const char *const all[] = {
		"must be [NAME], NAME=value, blank, or begin with #",
		"above all sections",
		"a server's name must be 1 to 64 letters, digits, dots, _ or -",
		"[default] is the server of BANTER_MODEL_URL: give it another name",
		"one server too many: there may be 15",
		"unknown name: a server has URL, KEY, KEY_FILE, HEADERS, HEADERS_FILE, MEMBERS, "
		"CA, "
		"CONNECT_TIME, FIRST_TIME, IDLE_TIME, OPEN, MODELS",
	};
	struct config_entry entry;
	struct buf row;
	bool found = false;
	size_t i;

	for (i = 0; i < COUNT(all); i++)
		if (str_equal(words, str_from(all[i])))
			return true;
	buf_init(&row, WHY_MOST);
	for (i = 0; !found && config_entry_at(i, &entry); i++) {
		buf_reset(&row);
		if (!entry.of_server)
			continue;
		buf_printf(&row, "%s must be %s", entry.name + strlen(CONFIG_SERVER_PREFIX),
			   entry.allowed);
		found = str_equal(words, buf_view(&row));
	}
	for (i = 1; !found && i < config->model_server_count; i++) {
		buf_reset(&row);
		buf_printf(&row, "[%s] stands above already", config->model_servers[i].name);
		found = str_equal(words, buf_view(&row));
	}
	buf_clear(&row);
	return found;
}

static void refused_in_words(const struct config *config, struct str why)
{
	const char *last = config->model_servers[config->model_server_count - 1].name;
	struct str rest = why, place = str_cut(&rest, STR(": ")), inner = rest;

	must(str_starts(place, STR("line ")) && str_only(str_skip(place, 5), STR("")));
	if (known_words(rest, config))
		return;
	must(str_starts(inner, STR("[")));
	inner = str_skip(inner, 1);
	must(str_equal(str_cut(&inner, STR("] ")), str_from(last)));
	must(known_words(inner, config));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = fuzz_copy((struct str){ (const char *)data, size });
	struct config config;
	struct buf why;
	bool whole = true;
	size_t i;

	buf_init(&why, WHY_MOST);
	if (read_file(text, &config, &why) == STATUS_OK)
		must(!why.len);
	else
		refused_in_words(&config, buf_view(&why));
	must(buf_check(&why) == STATUS_OK);
	names_are_names(&config);
	default_is_untouched(&config);
	taken_again(&config);
	for (i = 0; i < config.model_server_count; i++)
		models_are_found(&config.model_servers[i]);
	for (i = 1; i < config.model_server_count; i++)
		whole = whole && *config.model_servers[i].url;
	must((config_check_servers(&config, &why) == STATUS_OK) == whole);
	config_clear(&config);
	buf_clear(&why);
	fuzz_free(text);
	return 0;
}
