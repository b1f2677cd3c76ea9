/* Figures: what the kernel's own operations cost, counted by the TSC. Under QEMU's `-icount
 * shift=0` the TSC counts instructions, the same on every machine. */
#ifndef SELFTEST_BENCH_H
#define SELFTEST_BENCH_H

/* Prints lines "bench NAME VALUE". */
void bench_run(void);

#endif
