/* A run made up from bytes, for tests and the fuzzer: what a log may look like at its worst. */
#ifndef TEST_LOG_RUN_FAKE_H
#define TEST_LOG_RUN_FAKE_H

#include <string.h>

#include "fake_backend.h"
#include "vm/machine.h"
#include "watch/record/view.h"

enum { FAKE_RING = 16, FAKE_VCPUS = 2 };

struct fake_run {
    struct fake fake;
    struct guest_config config;
    struct machine machine;
    struct log_ring rings[FAKE_VCPUS];
    struct log_vcpu vcpus[FAKE_VCPUS];
    struct log_output output;
    struct log_place functions[2];
    struct log_counter counters[2];
    struct log_guest guest;
    struct log_run run;
};

static inline const char *fake_reason(uint32_t reason)
{
    return reason == 2 ? "io" : "so-called \"<exit>\"";
}

static inline int fake_run_init(struct fake_run *f, const char *name, const char *end)
{
    struct error error;

    memset(f, 0, sizeof *f);
    fake_init(&f->fake);
    if (machine_init(&f->machine, &f->config, &f->fake.backend, &error) < 0 ||
        log_output_create(&f->output, &error) < 0)
        return -1;
    for (unsigned i = 0; i < FAKE_VCPUS; i++) {
        if (log_ring_create(&f->rings[i], FAKE_RING, &error) < 0)
            return -1;
        f->vcpus[i] = (struct log_vcpu){.ring = &f->rings[i], .guest_cycles = 7, .vmm_cycles = 3};
    }
    f->guest = (struct log_guest){.name = name,
                                  .end = end,
                                  .bus = &f->machine.bus,
                                  .output = &f->output,
                                  .vcpus = f->vcpus,
                                  .vcpu_count = FAKE_VCPUS,
                                  .functions = f->functions,
                                  .counters = f->counters};
    f->run = (struct log_run){.guests = &f->guest,
                              .count = 1,
                              .start = 1000,
                              .end = 2000000,
                              .ns_per_cycle = 0.5,
                              .reason_name = fake_reason};
    return 0;
}

static inline void fake_run_destroy(struct fake_run *f)
{
    for (unsigned i = 0; i < FAKE_VCPUS; i++)
        log_ring_destroy(&f->rings[i]);
    log_output_destroy(&f->output);
}

/* Where a writer's text goes. */
struct fake_text {
    char *bytes;
    size_t used, room;
    int failure; /* what the next write answers */
};

static inline int fake_text_write(void *context, const void *bytes, size_t count)
{
    struct fake_text *t = context;

    if (t->failure != 0 || t->used + count >= t->room)
        return t->failure != 0 ? t->failure : -28;
    memcpy(t->bytes + t->used, bytes, count);
    t->used += count;
    t->bytes[t->used] = '\0';
    return 0;
}

#endif
