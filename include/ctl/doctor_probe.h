/* What the self-test asks: an answer of some length, or nobody could see whether it streams. */
#ifndef CTL_DOCTOR_PROBE_H
#define CTL_DOCTOR_PROBE_H

#define DOCTOR_QUESTION                                                                            \
	"Please count from one to thirty in English words, separated by commas. Say nothing else."

#endif
