/* What each web server calls the settings that Banter needs of it. */
#ifndef DOCTOR_SERVER_NAMES_H
#define DOCTOR_SERVER_NAMES_H

#include "edge/probe.h"

struct server_advice {
	const char *name; /* as it stands in "Server:", or in "Via:" */
	const char *unbuffer, *authorization, *body, *compression;
};

/* The advice for whoever answered; general words for one that is not known. */
const struct server_advice *server_names_advice(const struct probe *probe);

#endif
