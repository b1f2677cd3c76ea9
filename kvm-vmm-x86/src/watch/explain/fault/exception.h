/*
 * An exception as the CPU raises it: its vector, the error code it pushes, and why, in words. Intel
 * SDM volume 3, table 6-1 and 6.13.
 */
#ifndef EXPLAIN_EXCEPTION_H
#define EXPLAIN_EXCEPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/exception.h"
#include "watch/explain/walk.h"

struct exception {
    int vector;    /* EXCEPTION_NONE: none */
    bool software; /* INT n, INT3, INTO: the gate's privilege level counts */
    uint32_t error;
    bool paged;       /* #PF: `walk` says all about it */
    struct walk walk; /* of the address that failed */
    char why[200];
};

/* Fills `e`; true, to be returned in turn. */
bool exception_set(struct exception *e, int vector, uint32_t error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Says why in other words; true. */
bool exception_explain(struct exception *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A failed page walk as the exception that it raises (#PF, or #GP/#SS where not canonical). */
bool exception_set_walk(struct exception *e, const struct walk *walk, bool stack);

/* "page fault"; "interrupt 0x21" beyond the exceptions. */
void exception_name(struct text *text, const struct exception *e);

/* "page fault at 0x0 (write; not present: PD[0] bit 0 (P) is clear)". */
void exception_describe(struct text *text, const struct exception *e);

/* What happens if `second` is raised while `first` is delivered (SDM table 6-5): both in turn, a
 * double fault, or a shutdown. */
enum exception_pair { PAIR_SERIAL, PAIR_DOUBLE, PAIR_SHUTDOWN };
enum exception_pair exception_pair(int first, int second);

#endif
