/*
 * What processors remember of the kernel's page tables: a page that is unmapped must be forgotten
 * by all of them before it is used for something else. A program's half needs none of this, as it
 * is in use on one processor at a time, which forgets it when it leaves it (memory/space.h).
 */
#ifndef HLEOS_CPU_FLUSH_H
#define HLEOS_CPU_FLUSH_H

/* Returns when all other processors have forgotten all they knew. Spinlocks may be held: a
 * processor that waits for one answers requests meanwhile. */
void flush_others(void);
/* Answers the others' requests, if there are any; with interrupts off. */
void flush_serve(void);

/* A processor that halts until an interrupt need not be asked: it says so before, and the interrupt
 * says first of all that this is over. Both with interrupts off. */
void flush_rest(void);
void flush_wake(void);

#endif
