/*
 * The book of a run: what --stats and --log want to know of every exit, kept while guests
 * run, and written when they have ended. One instance. Each vCPU's thread writes into a page of its
 * own, without locks; everything else here is for the main thread.
 */
#ifndef LOGBOOK_H
#define LOGBOOK_H

#include "base/error.h"
#include "options/options.h"
#include "watch/record/output.h"
#include "watch/record/ring.h"
#include "watch/record/tally.h"
#include "watch/record/view.h"

struct vcpu;

/* What is kept of one vCPU, whatever becomes of it: a guest that starts again goes on here. */
struct logbook_page {
    struct log_ring ring;   /* for --log */
    struct log_tally tally; /* for --stats and --log */
    uint64_t exits, guest_cycles, vmm_cycles;
};

/* Opens the file of --log, before anything is done that would be lost if that fails. */
int logbook_open(const struct options *options, struct error *error) MUST_CHECK;

/* The page of a vCPU, made at the first call; NULL if nothing is to be kept. -1: no memory. */
int logbook_add_page(unsigned guest, unsigned vcpu, struct logbook_page **page,
                     struct error *error) MUST_CHECK;
/* The page if there is one, and what the guest printed. */
const struct logbook_page *logbook_page(unsigned guest, unsigned vcpu);
const struct log_output *logbook_printed(unsigned guest);

/* An exit that was just handled: the guest came out at `left`, and goes on now. */
void logbook_exit(struct logbook_page *page, const struct vcpu *vcpu, uint64_t left);

/* A guest's output, for console_config.tap. */
void logbook_output(unsigned guest, const uint8_t *bytes, size_t count);

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
