/*
 * Measures a reset of libkvmvmm: a guest writes some pages between two hypercalls, and is reset to
 * the first of them again and again.
 *
 *     resets GUEST PAGES SECONDS [FIGURE]
 *
 * Prints the resets per second, and the microseconds per reset, per page, and per run of the guest
 * between two resets; or one of these: second, reset, page, run.
 */
#include <kvmvmm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALL_READY = 0x20, CALL_DONE = 0x21 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *text)
{
    fprintf(stderr, "resets: %s\n", text);
    return 1;
}

static void print(const char *figure, double resets, double pages, double running, double resetting)
{
    const struct {
        const char *name;
        double value;
    } figures[] = {{"second", resets * 1e6 / (running + resetting)},
                   {"reset", resetting / resets},
                   {"page", resetting / pages},
                   {"run", running / resets}};

    for (size_t i = 0; figure != NULL && i < sizeof figures / sizeof figures[0]; i++)
        if (strcmp(figure, figures[i].name) == 0)
            printf("%.3f\n", figures[i].value);
    if (figure == NULL)
        printf("%.0f resets/s, %.1f us a reset of %.0f pages, %.3f us a page, %.1f us a run\n",
               figures[0].value, figures[1].value, pages / resets, figures[2].value,
               figures[3].value);
}

int main(int argc, char **argv)
{
    struct kvmvmm_config config = {.image = argv[1], .mode = KVMVMM_LONG};
    const double limit = argc > 3 ? strtod(argv[3], NULL) : 0;
    const uint64_t wanted = argc > 3 ? strtoull(argv[2], NULL, 0) : 0;
    const char *figure = argc > 4 ? argv[4] : NULL;
    double running = 0, resetting = 0, begun;
    unsigned long long resets = 0, written = 0;
    struct kvmvmm *machine;
    struct kvmvmm_error error;
    struct kvmvmm_event event;
    struct kvm_regs regs;
    uint64_t pages;

    if (argc < 4)
        return fail("expected GUEST PAGES SECONDS [FIGURE]");
    machine = kvmvmm_create(&config, &error);
    if (machine == NULL || kvmvmm_run(machine, NULL, &event, &error) < 0 ||
        kvmvmm_get_registers(machine, &regs, NULL, &error) < 0)
        return fail(error.text);
    regs.rcx = wanted;
    if (event.reason != KVMVMM_CALL || event.call != CALL_READY)
        return fail("the guest did not say that it is ready");
    if (kvmvmm_set_registers(machine, &regs, NULL, &error) < 0 ||
        kvmvmm_snapshot(machine, &error) < 0)
        return fail(error.text);
    for (begun = now(); begun + limit > now(); resets++) {
        double at = now();

        if (kvmvmm_run(machine, NULL, &event, &error) < 0)
            return fail(error.text);
        if (event.reason != KVMVMM_CALL || event.call != CALL_DONE)
            return fail("the guest did not say that it is done");
        running += now() - at;
        at = now();
        if (kvmvmm_reset(machine, &pages, &error) < 0)
            return fail(error.text);
        resetting += now() - at;
        written += pages;
    }
    if (resets == 0 || written / resets < wanted)
        return fail("fewer pages were written than the guest writes");
    print(figure, (double)resets, (double)written, running * 1e6, resetting * 1e6);
    kvmvmm_destroy(machine);
    return 0;
}
