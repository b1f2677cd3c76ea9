/*
 * A finished exit of a vCPU: what the core keeps of the last ones, as KVM described them, and the
 * record for observers.
 */
#ifndef VM_EXIT_RECORD_H
#define VM_EXIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/regs.h"

/* Copied at each exit, so it is small. It includes the values that the guest read. */
struct past_exit {
    uint64_t rip;
    uint64_t data; /* of a port: the first 8 bytes */
    uint32_t reason;
    union { /* by the reason */
        typeof(((struct kvm_run *)NULL)->io) io;
        typeof(((struct kvm_run *)NULL)->mmio) mmio;
    };
};

/* Which of an exit's fields mean something. */
enum exit_space {
    EXIT_NOWHERE, /* no access: a halt, a shutdown, ... */
    EXIT_PORT,
    EXIT_MEMORY,
};

/* 48 bytes, so that 65,536 exits fit into 3 MB. */
struct exit_record {
    uint64_t time;    /* when the guest came back, in cycles of the host; 0 without a clock */
    uint64_t cost;    /* cycles from then until it could go on; 0 without a clock */
    uint64_t rip;     /* as KVM gave it; after a shutdown AMD's is that of a reset CPU */
    uint64_t address; /* the port or guest-physical address */
    uint64_t value;   /* written, or what was answered; of a string instruction the first item */
    uint32_t count;   /* items: 1, or those of a batch of `rep ins` */
    uint8_t reason;   /* KVM_EXIT_*, at most 255 */
    uint8_t space;    /* enum exit_space */
    uint8_t size;     /* bytes an item */
    bool write;
};

_Static_assert(sizeof(struct exit_record) == 48, "the exit log's size is documented");

/* Without time and cost. */
struct exit_record exit_record_of(const struct past_exit *exit);

/* The guest was given a value. */
static inline bool exit_record_asks(const struct exit_record *record)
{
    return record->space != EXIT_NOWHERE && !record->write;
}

#endif
