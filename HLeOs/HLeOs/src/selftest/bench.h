/* Figures: what the kernel's own operations cost, counted by the TSC. Under QEMU's `-icount
 * shift=0` the TSC counts instructions, the same on every machine. */
#ifndef SELFTEST_BENCH_H
#define SELFTEST_BENCH_H

/* The moments of the kernel's entry, and before the disks are looked for: the figures "entry to
 * disks" and "entry to prompt". */
void bench_mark_entry(void);
void bench_mark_disks(void);

/* Prints a line "bench NAME VALUE" for the figure of that name, or for "all". */
void bench_run(const char *name);

#endif
