/* Floating point in a thread. The kernel itself is compiled without; fpu.c alone is compiled with
 * SSE. */
#ifndef SELFTEST_FPU_H
#define SELFTEST_FPU_H

/* Fills x87 and SSE registers with values made of `seed`, calls `between`, and checks that they are
 * unchanged; `rounds` times. 0, or the number of the round that failed. */
int fpu_keeps_values(int seed, int rounds, void (*between)(void));

#endif
