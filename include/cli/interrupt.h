/* Long work that can stop between two steps. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT and SIGTERM only set a flag; a second one ends the program. */
void interrupt_catch(void);
bool interrupt_came(void);

#endif
