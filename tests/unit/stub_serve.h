/*
 * A whole worker over stubs, for tests of http_serve(): gateway, database, model's server and clock
 * are stubs; request, route, limits, turn and reply are the real ones.
 */
#ifndef STUB_SERVE_H
#define STUB_SERVE_H

#include "stub_http.h"
#include "stub_turn.h"

#include "base/log.h"
#include "chat/limit_file.h"
#include "http/serve.h"

struct stub_serve {
	struct gateway gateway;
	struct config config;
	struct wait wait;
	struct db db;
	struct http_context context;
	char widget[KEY_TEXT_SIZE], site[KEY_TEXT_SIZE],
		workspace[KEY_TEXT_SIZE + 8]; /* "Bearer …" */
};

/* Scripts and requests are the test's; settings may still be changed in `config`. */
static inline enum status stub_serve_new(struct stub_serve *s)
{
	char text[KEY_TEXT_SIZE];
	enum status status;
	struct key key;

	*s = (struct stub_serve){ .config = stub_http_config() };
	stub_time.now = STUB_TIME_START;
	wait_init(&s->wait);
	s->context = (struct http_context){
		.config = &s->config, .gateway = &s->gateway, .wait = &s->wait, .db = &s->db
	};
	assert_int_equal(key_new(KEY_WIDGET, 5, s->widget, &key), STATUS_OK);
	assert_int_equal(key_new(KEY_SITE, 5, s->site, &key), STATUS_OK);
	assert_int_equal(key_new(KEY_WORKSPACE, 5, text, &key), STATUS_OK);
	snprintf(s->workspace, sizeof(s->workspace), "Bearer %s", text);
	status = limit_open(NULL, 2, &s->context.limit);
	if (!status)
		status = model_new(&s->config, &s->context.model);
	return status;
}

static inline void stub_serve_free(struct stub_serve *s)
{
	model_free(s->context.model);
	limit_close(s->context.limit);
	assert_int_equal(stub_db.rows_alive, 0);
}

static inline void stub_serve_script(const struct stub_answer *answers, int count,
				     const struct stub_piece *pieces, size_t piece_count)
{
	stub_db_script(answers, count);
	stub_http_script(pieces, piece_count);
	journal_clear();
}

#endif
