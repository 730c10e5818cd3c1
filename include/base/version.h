/* The program's version, as --version and the log say it. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define BANTER_VERSION "0.1.0"

/* Of this release, as manual pages show it. */
#define MANUAL_DATE "November 21, 2026"

#endif
