/* What to do about a model that did not answer. */
#ifndef DOCTOR_MODEL_STEPS_H
#define DOCTOR_MODEL_STEPS_H

#include "doctor/check.h"
#include "wire/model_server.h"

/* A model that is asked, and how it is spoken of. */
struct asking {
	struct doctor *doctor;
	const struct model_server *server;
	struct str name, theirs;    /* of the model */
	char words[512];	    /* "MODEL" on SERVER */
	struct stream_times *times; /* where its pace goes */
	bool own;		    /* it is what the self-test's own chatbot asks */
	int64_t until;		    /* that all of them must be over by */
};

#define MODEL_SETTING_SIZE 128
/* What a server's setting is called where it stands: BANTER_MODEL_URL, or "[hosted] URL". */
const char *model_setting(const struct model_server *server, const char *name,
			  char (*text)[MODEL_SETTING_SIZE]);

/* Steps for the finding that was said last. It answered with that HTTP status; 0: with none. */
void model_step_refused(const struct asking *asking, int http);
/* It was late; `begun`: its header had come. */
void model_step_late(const struct asking *asking, bool begun);

#endif
