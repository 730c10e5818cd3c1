/*
 * Makes one call beneath us fail, the one whose turn it is, of those in calls.h ("torture"). For
 * programs linked with --wrap for each of them; what libraries ask for themselves is not touched.
 *
 * In a test of C the test itself turns `torture`. In a program of several processes it lies in the
 * file that TORTURE_CONTROL names, for another program to turn, and one kind of process is meant.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <stdatomic.h>
#include <stdint.h>

struct torture {
	char process[16];	 /* what is meant, by its name for ps; "": any */
	int64_t besides;	 /* the pid of one that is not; 0: none */
	_Atomic int64_t count;	 /* calls since this was set to 0 */
	_Atomic int64_t fail_at; /* 0: none */
	_Atomic int64_t alive;	 /* what is allocated and not freed, of all processes */
	int64_t from;  /* where the call that failed stands, from the program's begin on */
	char name[40]; /* its name */
};

extern struct torture *torture;

#endif
