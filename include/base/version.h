/* The program's version, as --version and the log say it. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define BANTER_VERSION "0.1.0"

#endif
