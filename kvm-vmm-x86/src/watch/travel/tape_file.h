/* A recording as a file: a header that identifies the guest, and the bytes of its tape.
 * docs/time-travel.md has the format. Pure; the input is untrusted. */
#ifndef TRAVEL_TAPE_FILE_H
#define TRAVEL_TAPE_FILE_H

#include "base/error.h"
#include "vm/tape.h"

enum { TAPE_FILE_VERSION = 1, TAPE_FILE_MAX = 256 << 20 };

/* Whose interrupt controllers the guest has, and whether KVM was asked for an exit at the first
 * instruction that allows interrupts. */
enum { TAPE_IRQCHIP_KVM, TAPE_IRQCHIP_VMM, TAPE_IRQCHIP_WINDOW };

/* All numbers in the byte order of x86. */
struct tape_header {
    char magic[8]; /* "KVMVTAPE" */
    uint32_t version;
    uint16_t mode;    /* enum guest_mode */
    uint16_t irqchip; /* TAPE_IRQCHIP_* */
    uint64_t memory;  /* bytes */
    uint64_t start;   /* a sum of memory and registers before the first instruction */
    uint64_t length;  /* of the tape, which follows */
    uint64_t sum;     /* of its bytes */
};

_Static_assert(sizeof(struct tape_header) == 48, "the format is documented");

uint64_t tape_file_sum(uint64_t before, const void *bytes, size_t count);

/* Fills in magic, version, length and sum. */
void tape_file_seal(struct tape_header *header, const struct tape *tape);

/* Reads what a file holds; `tape` gets a copy of its bytes. */
int tape_file_read(const uint8_t *bytes, size_t size, struct tape_header *header, struct tape *tape,
                   struct error *error) MUST_CHECK;

#endif
