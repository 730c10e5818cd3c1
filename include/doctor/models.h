/* Which models are to be asked of which servers: one of each server, and all that chatbots name. */
#ifndef DOCTOR_MODELS_H
#define DOCTOR_MODELS_H

#include "doctor/check.h"

#define MODELS_MOST 24

struct models_asked {
	const struct model_server *server; /* the settings' */
	char *name;			   /* of the model, as chatbots say it */
};

struct models {
	struct models_asked all[MODELS_MOST]; /* those of one server together */
	size_t n;
	size_t left_out; /* more than there is room for */
};

/* Also says what chatbots list that cannot be asked. STATUS_NOMEM; then, too, it is to be cleared. */
enum status models_find(struct doctor *doctor, struct models *models) MUST_CHECK;
void models_clear(struct models *models);

#endif
