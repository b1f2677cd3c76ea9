/*
 * TLB flushes: after a kernel page is unmapped, all processors must flush it before the memory is
 * used for something else. The half of a program does not need this: it is used by one processor at
 * a time, which flushes it when it switches away (memory/space.h).
 */
#ifndef HLEOS_CPU_FLUSH_H
#define HLEOS_CPU_FLUSH_H

/* Returns when all other processors have flushed their TLBs. Spinlocks may be held: a processor
 * that waits for one answers requests meanwhile. */
void flush_others(void);
/* Answers the others' requests, if there are any; with interrupts off. */
void flush_serve(void);

/* A halted processor need not be asked: it calls flush_rest() before it halts, and flush_wake() as
 * the first thing after. Both with interrupts off. */
void flush_rest(void);
void flush_wake(void);

#endif
