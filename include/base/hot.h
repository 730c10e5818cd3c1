/*
 * Which functions a token passes through. Among hundreds of processes, what a worker touches when it is
 * woken comes from memory, and each page's place from a table of its own there: so these lie side by side,
 * in a few pages in place of one each. tests/bench/cost.py names a function that runs for each token and
 * is not HOT.
 */
#ifndef BASE_HOT_H
#define BASE_HOT_H

/* At a function's definition. Linkers keep together what compilers put into .text.hot for it. */
#define HOT __attribute__((hot))

#endif
