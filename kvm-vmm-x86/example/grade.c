/*
 * Grades a guest: gives it one number after the other, each time from the same snapshot, and prints
 * its answer, or the reason for a missing answer. The guest asks by hypercall 0x20 for a number in
 * RDI and answers by hypercall 0x21 with RBX, within some seconds. docs/library.md shows it.
 *
 *     grade SECONDS GUEST NUMBER...
 */
#include <kvmvmm.h>
#include <stdio.h>
#include <stdlib.h>

enum { CALL_ASK = 0x20, CALL_ANSWER = 0x21 };

/* Gives the guest a number, and prints its answer. */
static int grade(struct kvmvmm *machine, const char *number, uint64_t seconds,
                 struct kvmvmm_error *error)
{
    const struct kvmvmm_limits limits = {.nanoseconds = seconds * 1000000000};
    struct kvmvmm_event event;
    struct kvm_regs regs;
    uint64_t pages;

    if (kvmvmm_get_registers(machine, &regs, NULL, error) < 0)
        return -1;
    regs.rdi = strtoull(number, NULL, 0);
    if (kvmvmm_set_registers(machine, &regs, NULL, error) < 0 ||
        kvmvmm_run(machine, &limits, &event, error) < 0 ||
        kvmvmm_get_registers(machine, &regs, NULL, error) < 0)
        return -1;
    if (event.reason == KVMVMM_CALL && event.call == CALL_ANSWER)
        printf("%s: %llu\n", number, (unsigned long long)regs.rbx);
    else if (event.reason == KVMVMM_TIME)
        printf("%s: no answer in %llu s\n", number, (unsigned long long)seconds);
    else
        printf("%s: the guest stopped: %s\n", number, event.text);
    return kvmvmm_reset(machine, &pages, error);
}

int main(int argc, char **argv)
{
    struct kvmvmm_config config = {.image = argc > 2 ? argv[2] : NULL, .mode = KVMVMM_LONG};
    struct kvmvmm_error error;
    struct kvmvmm_event event;
    struct kvmvmm *machine = kvmvmm_create(&config, &error);
    int result = 1;

    if (machine == NULL || kvmvmm_run(machine, NULL, &event, &error) < 0)
        goto end;
    if (event.reason != KVMVMM_CALL || event.call != CALL_ASK) {
        snprintf(error.text, sizeof error.text, "%s asks for no number", config.image);
        goto end;
    }
    result = kvmvmm_snapshot(machine, &error);
    for (int i = 3; i < argc && result == 0; i++)
        result = grade(machine, argv[i], strtoull(argv[1], NULL, 0), &error);
end:
    if (result != 0)
        fprintf(stderr, "grade: %s\n", error.text);
    kvmvmm_destroy(machine);
    return result != 0;
}
