/* Servers, and the models that chatbots name: from the settings, and from the operator's database. */
#include "doctor/models.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What chatbots ask for, the most usual first; a hundred thousand of them are a few rows. */
#define QUERY                                                                                      \
	"select c.model, coalesce(c.servers, '" MODEL_SERVER_DEFAULT "'), count(*)"                \
	" from banter.chatbot_list() c where c.active group by 1, 2 order by 3 desc, 1, 2"         \
	" limit 1000"
enum { MODEL, SERVERS, CHATBOTS };
#define SERVERS_QUERY                                                                              \
	"select s.name, count(*) from banter.chatbot_list() c,"                                    \
	" unnest(string_to_array(c.servers, ',')) s(name) where c.active group by 1 order by 1"    \
	" limit 100"

/* Two names of one model of one server are one. */
static bool has(const struct models *models, const struct model_server *server, struct str theirs)
{
	struct str known;
	size_t i;

	for (i = 0; i < models->n; i++)
		if (models->all[i].server == server &&
		    model_server_serves(server, str_from(models->all[i].name), &known) &&
		    str_equal(known, theirs))
			return true;
	return false;
}

/* False: it has no such model. */
static bool add(struct models *models, const struct model_server *server, struct str name,
		enum status *status)
{
	struct str theirs;
	size_t at;

	if (!model_server_serves(server, name, &theirs))
		return false;
	if (has(models, server, theirs))
		return true;
	if (models->n == MODELS_MOST) {
		models->left_out++;
		return true;
	}
	/* Behind the last one of the same server. */
	for (at = models->n; at && models->all[at - 1].server > server; at--)
		models->all[at] = models->all[at - 1];
	models->all[at] = (struct models_asked){ server, strndup(name.p, name.n) };
	models->n++;
	if (!models->all[at].name)
		*status = STATUS_NOMEM;
	return true;
}

/* The settings' own model, or the first that it has. */
static void add_server(struct doctor *doctor, struct models *models,
		       const struct model_server *server, enum status *status)
{
	struct str first = str_from(server->models);

	if (add(models, server, str_from(doctor->config->model), status))
		return;
	first.n = strcspn(first.p, ",=");
	add(models, server, first, status);
}

/* What one kind of chatbots asks for, of the servers in its list. */
static void add_chatbots(struct doctor *doctor, struct models *models, const struct db_rows *rows,
			 int row, enum status *status)
{
	struct str name = db_rows_text(rows, row, MODEL), list = db_rows_text(rows, row, SERVERS),
		   one;
	const struct model_server *server;
	bool found = false;

	if (!name.n)
		name = str_from(doctor->config->model);
	while (str_next(&list, ',', &one)) {
		server = config_model_server(doctor->config, one);
		found = (server && add(models, server, name, status)) || found;
	}
	if (found)
		return;
	report_find(doctor->report, REPORT_WRONG, "model",
		    "no server in the list of %" PRId64
		    " chatbots has their model \"%.*s\": " MODEL_SERVER_DEFAULT " is asked instead",
		    db_rows_integer(rows, row, CHATBOTS, 0), STR_ARGS(name));
	report_step(doctor->report, "the model in the MODELS of one of them, or banterctl chatbot "
				    "set CHATBOT model=… servers=…");
	add(models, &doctor->config->model_servers[0], name, status);
}

/* Servers that chatbots list and nobody has described. */
static void see_unknown(struct doctor *doctor)
{
	struct db_rows *rows = check_ask(doctor, doctor->owner, SERVERS_QUERY);
	struct str name;
	int row;

	for (row = 0; rows && row < db_rows_count(rows); row++) {
		name = db_rows_text(rows, row, 0);
		if (config_model_server(doctor->config, name))
			continue;
		report_find(doctor->report, REPORT_WARNING, "model",
			    "chatbots (%" PRId64 ") list a server \"%.*s\" that is not there: it "
			    "is passed over",
			    db_rows_integer(rows, row, 1, 0), STR_ARGS(name));
		report_step(doctor->report,
			    "[%.*s] in the file of BANTER_MODEL_SERVERS, or banterctl chatbot set "
			    "CHATBOT servers=…",
			    STR_ARGS(name));
	}
	db_rows_free(rows);
}

/* The default server, whose address is never empty, may stand for nothing where others are listed. */
static bool uses_default(const struct db_rows *rows)
{
	struct str list, one;
	int row;

	for (row = 0; rows && row < db_rows_count(rows); row++) {
		list = db_rows_text(rows, row, SERVERS);
		while (str_next(&list, ',', &one))
			if (str_equal(one, STR(MODEL_SERVER_DEFAULT)))
				return true;
	}
	return !rows || !db_rows_count(rows);
}

enum status models_find(struct doctor *doctor, struct models *models)
{
	const struct config *config = doctor->config;
	enum status status = STATUS_OK;
	struct db_rows *rows = NULL;
	size_t i;
	int row;

	*models = (struct models){ .n = 0 };
	if (doctor->owner && doctor->schema)
		rows = check_ask(doctor, doctor->owner, QUERY);
	for (i = uses_default(rows) ? 0 : 1; i < config->model_server_count; i++)
		add_server(doctor, models, &config->model_servers[i], &status);
	if (!rows) {
		report_find(doctor->report, REPORT_UNTRIED, "model",
			    "which models chatbots name: the operator's database is not reached");
		return status;
	}
	see_unknown(doctor);
	for (row = 0; row < db_rows_count(rows); row++)
		add_chatbots(doctor, models, rows, row, &status);
	db_rows_free(rows);
	return status;
}

void models_clear(struct models *models)
{
	size_t i;

	for (i = 0; i < models->n; i++)
		free(models->all[i].name);
}
