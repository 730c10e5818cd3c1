/*
 * A name server for tests, preloaded: getaddrinfo() answers as the file says that
 * BANTER_TEST_NAMES names. A line is a name and its addresses, or `silent`, or `none`; it is read at
 * each call, so that a test can change it. All other names are asked for as ever.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *,
			      struct addrinfo **);

static int append(getaddrinfo_fn real, const char *address, const char *port,
		  const struct addrinfo *hints, struct addrinfo **out)
{
	struct addrinfo numeric = hints ? *hints : (struct addrinfo){ 0 };

	numeric.ai_flags = AI_NUMERICHOST;
	while (*out)
		out = &(*out)->ai_next;
	return real(address, port, &numeric, out);
}

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
		struct addrinfo **out)
{
	getaddrinfo_fn real = (getaddrinfo_fn)dlsym(RTLD_NEXT, "getaddrinfo");
	const char *file = getenv("BANTER_TEST_NAMES");
	FILE *names = name && file ? fopen(file, "re") : NULL;
	int error = real && !names ? real(name, port, hints, out) : EAI_AGAIN;
	char line[1024], *word, *rest;
	int known = 0;

	if (!names)
		return error;
	while (!known && fgets(line, sizeof(line), names)) {
		word = strtok_r(line, " \n", &rest);
		known = word && strcmp(word, name) == 0;
	}
	fclose(names);
	if (!known || (hints && hints->ai_flags & AI_NUMERICHOST))
		return real(name, port, hints, out);
	*out = NULL;
	while ((word = strtok_r(NULL, " \n", &rest))) {
		if (strcmp(word, "silent") == 0)
			for (;;)
				pause();
		if (strcmp(word, "none") == 0)
			return EAI_NONAME;
		error = append(real, word, port, hints, out);
	}
	return error;
}
