/*
 * The boot of a Linux guest in phases, for --boot-report: when each began, what was printed before,
 * and the exits until then. Pure: the caller reads clocks and counters.
 */
#ifndef BOOT_PHASES_H
#define BOOT_PHASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they come. */
enum boot_phase {
    BOOT_PROCESS, /* the program has been loaded and runs */
    BOOT_FILES,   /* KVM is open, the files are read */
    BOOT_VM,      /* the VM has its memory */
    BOOT_LOADED,  /* the kernel is in it */
    BOOT_ENTERED, /* interrupt controllers and vCPUs are there, the first enters the guest */
    BOOT_CONSOLE, /* the first byte on the serial port */
    BOOT_INIT,    /* the first line there that is not the kernel's */
    BOOT_END,
    BOOT_PHASES,
};

struct boot_moment {
    uint64_t ns;    /* since the program's start; 0: it never came to this */
    uint64_t exits; /* to the VMM, until then */
};

struct boot_phases {
    struct boot_moment moments[BOOT_PHASES];
    uint64_t kernel_bytes; /* printed before init's first line */
    bool in_line, kernel_line;
};

const char *boot_phases_name(enum boot_phase phase);

/* Follows the output of the guest. A line that begins with '[' is the kernel's, by its time stamp.
 * Says which phase has begun with these bytes, or BOOT_PHASES. */
enum boot_phase boot_phases_output(struct boot_phases *phases, const uint8_t *bytes, size_t count);

/* What is known of a boot besides, to give advice. */
struct boot_facts {
    bool unpacked_itself; /* the kernel's own decompressor ran */
    bool unpacked;        /* it was unpacked here, and not found in the cache */
    bool not_kept;        /* and could not be written there */
    const char *cache;    /* where that is; NULL: nowhere */
    unsigned cpus, host_cpus;
    uint64_t unclaimed; /* accesses that no device answered */
    uint64_t rtc;       /* accesses to it before init */
};

enum { BOOT_ADVICE_MAX = 8 };

struct boot_advice {
    char lines[BOOT_ADVICE_MAX][200];
    unsigned count;
};

/*
 * Codes that firmware or a kernel writes to the diagnostic port (POST), each with the moment of
 * its first write in a row. What finds no place is counted.
 */
enum { BOOT_CODES_MAX = 64 };

struct boot_codes {
    struct {
        struct boot_moment moment;
        uint8_t code;
    } at[BOOT_CODES_MAX];
    unsigned count, dropped;
};

void boot_codes_add(struct boot_codes *codes, uint8_t code, uint64_t ns, uint64_t exits);

/* Advice: what cost the most, and what to do about it. */
void boot_phases_advise(const struct boot_phases *phases, const struct boot_facts *facts,
                        struct boot_advice *advice);

#endif
