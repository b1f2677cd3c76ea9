/*
 * The book of a run: what --stats and --log want to know of every exit, kept while guests
 * run, and written when they have ended. One instance. Each vCPU's thread writes into a page of its
 * own, without locks; everything else here is for the main thread.
 */
#ifndef LOGBOOK_H
#define LOGBOOK_H

#include "base/error.h"
#include "options/options.h"
#include "vm/observer.h"
#include "watch/record/output.h"
#include "watch/record/ring.h"
#include "watch/record/tally.h"
#include "watch/record/view.h"

/* What is kept of one vCPU, whatever becomes of it: a guest that starts again goes on here. */
struct logbook_page {
    struct log_ring ring;   /* for --log */
    struct log_tally tally; /* for --stats and --log */
    uint64_t exits, guest_cycles, vmm_cycles;
    uint64_t resumed; /* when the guest went on last */
};

/* Opens the file of --log, before anything is done that would be lost if that fails. */
int logbook_open(const struct options *options, struct error *error) MUST_CHECK;

/* Whether some option asks for it; then each guest gets the observer (without a context). */
bool logbook_is_wanted(const struct options *options);
extern const struct observer logbook_observer;

/* The page if there is one, and what the guest printed. */
const struct logbook_page *logbook_page(unsigned guest, unsigned vcpu);
const struct log_output *logbook_printed(unsigned guest);

/* The clock runs from when the guests start until the last has ended. */
void logbook_start(void);
void logbook_stop(void);
/* The times of the run, for those who write about it. */
void logbook_clock(struct log_run *run);

/* Writes what was asked for. -1: `error` says why it could not be written. */
int logbook_write(const struct log_run *run, struct error *error) MUST_CHECK;

/* Gives everything back; a file that was made and not written to is taken away again. */
void logbook_close(void);

#endif
