/*
 * The disk of the machine to which a guest is saved, or from which it is loaded: one save or load
 * at a time. Records are those of saved.h; each is one request, which is begun and then polled.
 */
#ifndef VM_STORE_H
#define VM_STORE_H

#include "host/disk.h"
#include "vm/saved.h"

/* Opens the machine's disk number `number`; false after an error message if it does not exist, or
 * another save or load runs. */
bool store_open(unsigned number) MUST_CHECK;
/* Closes it, also while a request is in flight. */
void store_close(void);
unsigned store_number(void);
uint64_t store_microseconds(void); /* since it was opened */

void *store_record(void);  /* the one that is written or was read, */
void *store_payload(void); /* and what is in it behind its header */
/* Begins to write or to read that record: what is wrong, or NULL. */
const char *store_begin(uint64_t record, bool write) MUST_CHECK;
/* DISK_BUSY, DISK_ERROR, or DISK_OK: nothing is under way. */
int store_state(void) MUST_CHECK;

#endif
