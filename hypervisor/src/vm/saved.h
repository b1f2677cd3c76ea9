/*
 * The format of a saved VM on a disk: records of a fixed size, each with a header of one sector and
 * up to 16 KiB of data. Record 0 is the head, and is written last: a disk without record 0 holds no
 * save. All records of a save have its number and a checksum. The contents are untrusted and
 * checked too. Numbers are little-endian. Pure: no allocation, no output.
 */
#ifndef VM_SAVED_H
#define VM_SAVED_H

#include "abi/virtio.h"
#include "common/device/uart16550.h"
#include "common/device/virtio/virtio.h"
#include "dev/plic.h"
#include "dev/rtc.h"
#include "dev/uart.h"
#include "dev/virtio/console.h"
#include "vm/config.h"

enum { SAVED_VERSION = 3 };
enum { SAVED_SECTOR = 512, SAVED_CHUNK = 16384, SAVED_SECTORS = 1 + SAVED_CHUNK / SAVED_SECTOR };
enum { SAVED_VECTORS = 32 }; /* of a vCPU */

enum saved_kind {
    SAVED_NOTHING,
    SAVED_DEVICES, /* struct saved_devices */
    SAVED_VCPU,    /* struct saved_vcpu; `at`: its number */
    SAVED_VECTOR,  /* its vector registers */
    SAVED_RAM,     /* `at`: the guest physical address; parts that are left out are zero */
    SAVED_DISK,    /* `at`: the first byte; all of them, in order */
    SAVED_HEAD     /* struct saved_head */
};

struct saved_record {
    char magic[8];
    uint64_t save; /* the same in all records of a save */
    uint64_t number, at;
    uint32_t kind, size; /* of what follows in the next sector */
    uint64_t checksum;   /* of all of it, with this as 0 */
};

struct saved_head {
    uint32_t version, vcpus;
    uint64_t records, timebase, vlenb;
    uint64_t ram_base, ram_size, disk_size;
    uint64_t time; /* the guest's */
    char isa[512]; /* what it was offered */
    char manifest[CONFIG_LINE_SIZE];
};

struct saved_slot {
    uint32_t id, reserved; /* the kind of device; 0: none */
    struct virtio_state state;
};

struct saved_devices {
    struct plic_state plic;
    struct uart16550_state uart;
    struct rtc_state rtc;
    struct saved_slot slot[SLOTS_MAX];
    uint32_t uart_count, console_count; /* typed and not read */
    uint32_t uart_holds, uart_held;     /* a byte that waits for room */
    uint8_t uart_queue[UART_QUEUE], console_queue[CONSOLE_TYPED];
};

struct saved_counter {
    uint32_t used, running, event, reserved;
    uint64_t value, started_at;
};

enum saved_switches {
    SAVED_AD_UPDATING = 1,
    SAVED_AD_LOCKED = 2,
    SAVED_EVENTS_MASKED = 4,
    SAVED_EVENT_DUE = 8
};

struct saved_vcpu {
    uint64_t x[32], pc, sstatus, hstatus, f[33];
    uint64_t csr[13];
    uint64_t vstart, vl, vtype, vcsr;
    uint64_t resume_pc, resume_arg, soft_timer, steal, inject, waited;
    uint32_t steal_sequence, suspend, task, switches; /* enum saved_switches */
    uint64_t event[2][11];                            /* SBI SSE: attributes, and its hart */
    uint64_t events[22];
    struct saved_counter counter[16];
};

_Static_assert(sizeof(struct saved_record) <= SAVED_SECTOR, "a sector");
_Static_assert(sizeof(struct saved_head) <= SAVED_CHUNK &&
                   sizeof(struct saved_vcpu) <= SAVED_CHUNK &&
                   sizeof(struct saved_devices) <= SAVED_CHUNK,
               "a record");

/* Writes the header of a record, whose `size` bytes of data are in place. `record` is 8-byte
 * aligned. */
void saved_seal(void *record, enum saved_kind kind, uint64_t save, uint64_t number, uint64_t at,
                uint32_t size);
/* What is wrong with record `number` of that save (of any, where `save` is 0), or NULL. */
const char *saved_check(const void *record, uint64_t save, uint64_t number) MUST_CHECK;
/* Reads the head that follows a header: what is wrong, or NULL and the guest's description. */
const char *saved_read_head(const struct saved_head *head, struct vm_config *config) MUST_CHECK;

#endif
