/*
 * One exit of one vCPU, as the exit log keeps it, and what people call it. Pure: where the record
 * comes from is trace.c, where it is kept is ring.h.
 */
#ifndef LOG_RECORD_H
#define LOG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/bus.h"

/* Which of an exit's fields mean something. */
enum log_space {
    LOG_NOWHERE, /* no access: a halt, a shutdown, ... */
    LOG_PORT,
    LOG_MEMORY,
    LOG_MSR,
};

/* 48 bytes, so that 65,536 exits fit into 3 MB. */
struct log_record {
    uint64_t time;    /* when the guest came back, in cycles of the host */
    uint64_t cost;    /* cycles from then until it could go on */
    uint64_t rip;     /* as KVM gave it; after a shutdown AMD's is that of a reset CPU */
    uint64_t address; /* the port, the guest-physical address, the number of the MSR */
    uint64_t value;   /* written, or what was answered; of a string instruction the first item */
    uint32_t count;   /* items: 1, or those of a batch of `rep ins` */
    uint8_t reason;   /* KVM_EXIT_*, at most 255 */
    uint8_t space;    /* enum log_space */
    uint8_t size;     /* bytes an item */
    bool write;
};

_Static_assert(sizeof(struct log_record) == 48, "the exit log's size is documented");

/* The device range it went to; NULL if it was no access or nobody's. */
const struct bus_range *log_record_range(struct bus *bus, const struct log_record *record);

/*
 * What was reached: "uart.THR", "port 0x80", "memory 0xfee00000", "MSR 0x10", or `reason` for
 * anything that is no access. Cut to `size`.
 */
void log_record_name(struct bus *bus, const struct log_record *record, const char *reason,
                     char *text, size_t size);

/* The access in words: "out port 0x3f8 uart.THR value 0x41 and 3 more"; empty if there was none. */
void log_record_describe(struct bus *bus, const struct log_record *record, char *text, size_t size);

#endif
