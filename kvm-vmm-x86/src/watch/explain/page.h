/*
 * The report page: what a guest was doing when it ended. Pure: it shows what is in `struct page`,
 * and changes nothing there.
 */
#ifndef EXPLAIN_PAGE_H
#define EXPLAIN_PAGE_H

#include "watch/explain/diagnose.h"
#include "watch/explain/interrupts.h"
#include "watch/explain/loop.h"
#include "watch/explain/symbols.h"
#include "watch/explain/text.h"

enum { PAGE_EXITS = 8, PAGE_EXIT_TEXT = 120, PAGE_TEXT = 32 * 1024 };

struct page {
    const struct snapshot *snapshot;
    bool general_only;             /* only the general registers of the snapshot are valid, ... */
    bool wide;                     /* ... which have 64 bits */
    const struct symbols *symbols; /* NULL: none */
    const char *no_symbols;        /* why not, where that is worth a line; or NULL */
    const struct diagnosis *diagnosis;   /* NULL: no fault was looked for */
    const struct loop *loop;             /* NULL: no loop was looked for */
    const struct interrupts *interrupts; /* NULL: no controllers */
    const char *how;                     /* where the registers come from; NULL: plainly read */
    char exits[PAGE_EXITS][PAGE_EXIT_TEXT];
    unsigned exit_count;
};

/* Lines of text, each ended. */
void page_print(struct text *text, const struct page *page);
/* Of these, the registers and segments. */
void page_print_state(struct text *text, const struct snapshot *s);

#endif
