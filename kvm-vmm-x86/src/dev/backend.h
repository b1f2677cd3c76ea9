/*
 * What a device calls outside its own state: output, input, interrupt lines, the end of the guest.
 * The VM implements it with the console, the input queue and KVM; unit tests and fuzzers implement
 * it with a few variables.
 */
#ifndef DEV_BACKEND_H
#define DEV_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* How a guest ended, and with what the VMM itself will end. */
enum end_kind {
    END_NONE,    /* still running */
    END_EXIT,    /* asked to, by hypercall: 0 */
    END_RESET,   /* asked for a restart: 0 */
    END_HALT,    /* halted for ever: 0 */
    END_LEFT,    /* the user left it (Ctrl-A x): 0 */
    END_CODE,    /* its own code by the debug-exit port */
    END_LIMIT,   /* --timeout or --max-exits: 124 */
    END_FAILED,  /* the VMM could not go on: 125 */
    END_CRASH,   /* the guest crashed: 126 */
    END_SIGNAL,  /* the VMM was told to stop by signal N: 128 + N */
    END_SIBLING, /* stopped because another guest of the run was: does not change the status */
};

/* The events of ACPI's fixed registers, by their bits in the high byte (6.3, table 4-15). */
enum acpi_pm_event { ACPI_PM_POWER_BUTTON = 0x01, ACPI_PM_ALARM = 0x04 };

/* What input() returns besides a byte. */
enum { INPUT_NONE = -1, INPUT_END = -2 };

/* What fork() returns. */
enum fork_answer {
    FORK_MADE,    /* the number is that of the copy, and 0 in it */
    FORK_LATER,   /* call it again once woken */
    FORK_REFUSED, /* no copy was made */
    FORK_OFF,     /* the run does not allow it: --forks */
};

struct bus_cpu;

struct backend {
    void *context;
    const struct memory *memory; /* the guest's RAM, for devices that read it themselves */
    /* Prints the guest's bytes, HYPERCALL_SLICE at most; never waits. */
    void (*output)(void *context, const uint8_t *bytes, size_t count);
    /* A byte for the debug console. */
    void (*debug)(void *context, uint8_t byte);
    /* Takes the next input byte: 0 to 255, INPUT_NONE, or INPUT_END. Never waits: a device whose
     * guest must wait for a byte returns VERDICT_AGAIN. */
    int (*input)(void *context);
    /* How many input bytes wait (at least), or INPUT_END. Takes none. */
    int (*pending)(void *context);
    /* The guest looks for input: from now on it is read from the terminal or file. */
    void (*want_input)(void *context);
    /* Raises or lowers a global system interrupt, for struct irq_line (irq.h). */
    void (*interrupt)(void *context, uint32_t gsi, bool level);
    /* Makes KVM drop its mappings of these bytes of guest memory. NULL: there is no KVM. */
    void (*forget_mapped)(void *page, uint64_t length);
    /* Returns these pages to the host; they read as zeroes from now on. False: not possible with
     * that backing. NULL: never possible. */
    bool (*release)(void *pages, uint64_t length, enum memory_backing backing);
    uint64_t (*now)(void);  /* nanoseconds of a clock that is never set; NULL: none */
    uint64_t (*wall)(void); /* the clock on the wall: nanoseconds since 1970, UTC; NULL: none */
    /* The time at which a device has something to do has changed (rtc_due). */
    void (*alarm)(void *context);
    /* One interrupt of an edge-triggered line; from any thread, as the next four. */
    void (*pulse)(void *context, uint32_t gsi);
    /* A message-signalled interrupt: what a device would write, and where (PCI 3.0, 6.8). */
    void (*message)(void *context, uint64_t address, uint32_t data);
    /* From now on the guest notifies this virtio device by a write to this address; 0: by none. */
    void (*notify_at)(void *context, unsigned device, uint64_t address);
    /* What a vCPU waits for (VERDICT_AGAIN), or a pause, may have come. */
    void (*wake)(void *context);
    /* Fills in random bytes for cryptographic use; false: the host has none now. */
    bool (*random)(void *bytes, size_t size);
    /* A line for the user about the guest. */
    void (*say)(void *context, const char *text);
    /* A hypercall that the VMM does not know. True: the program handles it, and the vCPU returns to
     * the program with its registers unchanged. False, or NULL: the hypercall does not exist. */
    bool (*call)(void *context, uint8_t number);
    /* Copies the guest, for a vCPU that is at the hypercall: FORK_LATER until the copy is made or
     * refused. NULL: the VMM does not have the hypercall. */
    enum fork_answer (*fork)(void *context, const struct bus_cpu *cpu, uint64_t *number);
    /* Enters ACPI's S3, in a vCPU's thread; and leaves it, from any thread: does nothing if the
     * guest is awake. Devices are reset before the guest continues. */
    void (*sleep)(void *context);
    void (*awaken)(void *context, enum acpi_pm_event cause);
    /* Ends the guest; `message` is for the user, NULL if there is nothing to say. */
    void (*end)(void *context, enum end_kind kind, int code, const char *message);
};

#endif
