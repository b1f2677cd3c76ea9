/* A tiny machine for one check: a megabyte of memory, one guest of guests.S, one or two processors.
 * A check runs in a process of its own, so nothing is ever freed. */
#ifndef LAB_PROBE_GUEST_H
#define LAB_PROBE_GUEST_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/probe/layout.h"

enum guest_mode { GUEST_REAL, GUEST_PROTECTED, GUEST_PAGED, GUEST_PAE, GUEST_LONG };

struct guest {
    int kvm, vm;
    int cpus[2];
    struct kvm_run *runs[2];
    uint8_t *memory;
    char reason[96]; /* why a step failed */
};

struct guest_code {
    const uint8_t *start, *end;
};

#define GUEST_CODE(name)                                                                           \
    ({                                                                                             \
        extern const uint8_t guest_##name[], guest_##name##_end[];                                 \
        (struct guest_code){guest_##name, guest_##name##_end};                                     \
    })

/* All return 0, or a negative code with guest->reason filled in. */
__attribute__((warn_unused_result)) int guest_open(struct guest *guest);
__attribute__((warn_unused_result)) int guest_add_cpu(struct guest *guest, int number);
__attribute__((warn_unused_result)) int guest_load(struct guest *guest, struct guest_code code,
                                                   enum guest_mode mode);
/* Both of the above, for one processor. */
__attribute__((warn_unused_result)) int guest_make(struct guest *guest, struct guest_code code,
                                                   enum guest_mode mode);

/* Puts a processor at the guest's start, in the mode. */
__attribute__((warn_unused_result)) int guest_set_mode(struct guest *guest, int cpu,
                                                       enum guest_mode mode);

/* Runs until an exit and returns its reason. */
__attribute__((warn_unused_result)) int guest_run(struct guest *guest, int cpu);
__attribute__((warn_unused_result)) int guest_expect(struct guest *guest, int cpu, uint32_t exit);
__attribute__((warn_unused_result)) int guest_expect_say(struct guest *guest, int cpu,
                                                         uint8_t value);

__attribute__((format(printf, 2, 3))) int guest_fail(struct guest *guest, const char *format, ...);

#endif
