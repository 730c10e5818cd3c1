/*
 * No test: the paths that the program serves, for tests/description to hold the API's description
 * against. A line each, with a tab between: METHODS PATH.
 */
#include <stdio.h>

#include "http/route.h"

int main(void)
{
	const struct route *route;
	size_t i;

	for (i = 0; (route = route_at(i)) != NULL; i++)
		printf("%s\t%s\n", route->methods, route->path);
	return 0;
}
