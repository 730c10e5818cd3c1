/* What the self-test asks: an answer of some length, or nobody could see whether it streams. */
#ifndef DOCTOR_QUESTION_H
#define DOCTOR_QUESTION_H

#define DOCTOR_QUESTION                                                                            \
	"Please count from one to thirty in English words, separated by commas. Say nothing else."

#endif
