/* A run made up from bytes, for tests and the fuzzer: what a log may look like at its worst. */
#ifndef TEST_LOG_RUN_FAKE_H
#define TEST_LOG_RUN_FAKE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_backend.h"
#include "vm/machine.h"
#include "watch/record/trace_json.h"

enum { FAKE_RING = 16, FAKE_VCPUS = 2 };

struct fake_run {
    struct fake fake;
    struct guest_config config;
    struct machine machine;
    struct log_run run;
    struct log_guest *guest; /* the only one of `run` */
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
    f->guest = &f->run.guests[0];
    *f->guest = (struct log_guest){.name = name, .bus = &f->machine.bus};
    snprintf(f->guest->end, sizeof f->guest->end, "%s", end);
    if (machine_init(&f->machine, &f->config, &f->fake.backend, &f->fake.backend, 40, &error) < 0 ||
        log_output_create(&f->guest->output, &error) < 0 ||
        log_tally_create(&f->guest->functions, &error) < 0)
        return -1;
    for (unsigned i = 0; i < FAKE_VCPUS; i++) {
        struct log_vcpu *v = calloc(1, sizeof *v);

        if (v == NULL || log_ring_create(&v->ring, FAKE_RING, &error) < 0)
            return -1;
        v->guest_cycles = 7;
        v->vmm_cycles = 3;
        f->guest->vcpus[f->guest->vcpu_count++] = v;
    }
    f->run.count = 1;
    f->run.start = 1000;
    f->run.end = 2000000;
    f->run.ns_per_cycle = 0.5;
    f->run.reason_name = fake_reason;
    return 0;
}

static inline void fake_run_destroy(struct fake_run *f)
{
    log_run_destroy(&f->run);
}

/* Where a writer's text goes. */
struct fake_text {
    char *bytes;
    size_t used, room;
    int failure; /* what the next write answers */
};

static inline ssize_t fake_text_write(void *context, const char *bytes, size_t count)
{
    struct fake_text *t = context;

    if (t->failure != 0 || t->used + count >= t->room) {
        errno = t->failure != 0 ? -t->failure : ENOSPC;
        return 0;
    }
    memcpy(t->bytes + t->used, bytes, count);
    t->used += count;
    t->bytes[t->used] = '\0';
    return (ssize_t)count;
}

static inline FILE *fake_text_open(struct fake_text *text)
{
    return fopencookie(text, "w", (cookie_io_functions_t){.write = fake_text_write});
}

#endif
