/*
 * The record of a run: an observer that keeps what --stats, --log and --boot-report need of every
 * exit (history.h), and the reports when the guests have ended. One instance, that of the session.
 */
#ifndef RECORD_H
#define RECORD_H

#include "vm/vm.h"
#include "watch/record/history.h"

/* What the user asked for. */
struct record_config {
    bool stats, boot_report;
    const char *log;   /* the file for the log, or NULL */
    uint64_t log_size; /* exits kept of each vCPU; 0: the default */
    unsigned guests;   /* how many there are */
};

/* For each guest, if anything was asked for. Without a context. */
extern const struct observer record_observer;

/* --verbose: a line for each exit. Without a context. */
extern const struct observer record_verbose_observer;

/* Opens the file of --log, before anything is done that would be lost if that fails. */
int record_open(const struct record_config *config, struct error *error) MUST_CHECK;

/* Whether anything was asked for. */
bool record_is_wanted(void);

/* The clock runs from when the guests start until the last has ended. */
void record_start(void);
void record_stop(void);

/* What has reached the devices of a guest until now, over all its vCPUs: by range of its bus, and
 * without a device. Callable from any thread. */
void record_reached(unsigned guest, uint64_t ranges[BUS_RANGES_MAX], uint64_t *unclaimed_ports);

/* The guests have ended: sums up what was kept. The VMs stay until record_close. */
const struct log_run *record_finish(struct vm *vms, unsigned count, struct error *error) MUST_CHECK;

/* Writes the log, if one was asked for. -1: `error` says why it could not be written. */
int record_write(const struct log_run *run, struct error *error) MUST_CHECK;

/* Frees everything; removes a file that was made and not written. */
void record_close(void);

#endif
