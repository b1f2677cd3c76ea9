/* Runs of the guest that is fuzzed; see guest.h. */
#include "fuzz/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/hypercall.h"
#include "host/events.h"
#include "host/kvm/debug.h"
#include "kvmvmm/machine.h"
#include "watch/explain/diagnose.h"
#include "watch/explain/page.h"

/* The most single steps to find the registers before a shutdown, which KVM does not keep. */
enum { STEPS_MAX = 100000 };

static int fail(struct error *error, const struct kvmvmm_error *why)
{
    return error_set(error, "%s", why->text);
}

static int watch_blocks(struct guest *g, struct mutate *values, struct error *error)
{
    struct kvmvmm_error why;
    struct snapshot s;
    size_t watched = 0;

    if (kvmvmm_look(g->machine, &s, error) < 0 || blocks_find(&g->blocks, &s, values, error) < 0)
        return -1;
    g->met = calloc(g->blocks.count + 1, sizeof *g->met);
    g->back = calloc(g->blocks.count + 1, sizeof *g->back);
    if (g->met == NULL || g->back == NULL)
        return error_set(error, "out of memory");
    for (size_t i = 0; i < g->blocks.count; i++) /* without room for a breakpoint: not watched */
        if (kvmvmm_set_breakpoint(g->machine, g->blocks.list[i], &why) == 0)
            g->blocks.list[watched++] = g->blocks.list[i];
    g->blocks.count = watched;
    return 0;
}

int guest_boot(struct guest *g, const struct kvmvmm_config *config, uint64_t limit,
               struct mutate *values, struct error *error)
{
    const struct kvmvmm_limits limits = {.nanoseconds = limit};
    struct kvmvmm_event event;
    struct kvmvmm_error why;

    g->machine = kvmvmm_create(config, &why);
    if (g->machine == NULL || kvmvmm_run(g->machine, &limits, &event, &why) < 0)
        return fail(error, &why);
    if (event.reason != KVMVMM_CALL || event.call != HC_FUZZ_INPUT)
        return error_set(error, "%s: it never asked for an input (hypercall %#x)%s%s",
                         config->image, HC_FUZZ_INPUT, event.text[0] != '\0' ? ": " : "",
                         event.text);
    if (kvmvmm_get_registers(g->machine, &g->regs, NULL, &why) < 0)
        return fail(error, &why);
    g->buffer = g->regs.rbx;
    g->room = g->regs.rcx < MUTATE_INPUT_MAX ? g->regs.rcx : MUTATE_INPUT_MAX;
    if (g->room == 0)
        return error_set(error, "%s: its buffer for the input has size 0 (RCX)", config->image);
    if (watch_blocks(g, values, error) < 0)
        return -1;
    return kvmvmm_snapshot(g->machine, &why) < 0 ? fail(error, &why) : 0;
}

void guest_release(struct guest *g)
{
    kvmvmm_destroy(g->machine);
    blocks_release(&g->blocks);
    free(g->met);
    free(g->back);
    *g = (struct guest){0};
}

static size_t index_of(const struct guest *g, gva_t address)
{
    size_t low = 0, high = g->blocks.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (g->blocks.list[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A block that was reached once is not watched any more, so it costs nothing. */
static void meet(struct guest *g, gva_t address, struct run_result *result)
{
    size_t i = index_of(g, address);

    kvmvmm_clear_breakpoint(g->machine, address);
    if (i == g->blocks.count)
        return;
    g->met_count += !g->met[i];
    g->met[i] = 1;
    result->new_blocks++;
    if (g->every_run)
        g->back[g->back_count++] = i;
}

static int begin(struct guest *g, const uint8_t *input, size_t size, struct kvmvmm_error *why)
{
    struct kvm_regs regs = g->regs;

    regs.rax = size;
    if (kvmvmm_reset(g->machine, NULL, why) < 0)
        return -1;
    for (; g->back_count > 0; g->back_count--) /* set again in memory, and this stays */
        if (kvmvmm_set_breakpoint(g->machine, g->blocks.list[g->back[g->back_count - 1]], why) < 0)
            return -1;
    if (size > 0 && kvmvmm_write_linear(g->machine, g->buffer, input, size, why) < 0)
        return -1;
    return kvmvmm_set_registers(g->machine, &regs, NULL, why);
}

/* Copies the guest's message about its crash: untrusted bytes; unprintable ones become dots. */
static void take_text(const struct guest *g, char *text, size_t room)
{
    struct kvm_regs regs;
    struct kvmvmm_error why;
    size_t size;

    snprintf(text, room, "the guest reports a crash");
    if (kvmvmm_get_registers(g->machine, &regs, NULL, &why) < 0 || regs.rcx == 0)
        return;
    size = regs.rcx < room - 1 ? regs.rcx : room - 1;
    if (kvmvmm_read_linear(g->machine, regs.rbx, text, size, &why) < 0) {
        snprintf(text, room, "the guest reports a crash, with a text outside its memory");
        return;
    }
    text[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '.';
}

static void judge(const struct guest *g, const struct kvmvmm_event *event,
                  struct run_result *result)
{
    result->verdict = RUN_DONE;
    if (event->reason == KVMVMM_TIME)
        result->verdict = RUN_HUNG;
    if (event->reason == KVMVMM_ENDED && event->end >= KVMVMM_CRASHED)
        result->verdict = RUN_CRASHED;
    snprintf(result->text, sizeof result->text, "%s", event->text);
    if (event->reason == KVMVMM_CALL && event->call == HC_FUZZ_CRASH) {
        result->verdict = RUN_CRASHED;
        snprintf(result->text, sizeof result->text, "the guest reports a crash");
    }
    if (event->reason == KVMVMM_CALL && event->call == HC_FUZZ_FAILED) {
        result->verdict = RUN_CRASHED;
        take_text(g, result->text, sizeof result->text);
    }
}

int guest_run(struct guest *g, const uint8_t *input, size_t size, struct run_result *result,
              struct error *error)
{
    struct kvmvmm_limits limits = {.nanoseconds = g->timeout};
    struct kvmvmm_error why;
    struct kvmvmm_event event;
    uint64_t begun, spent;

    *result = (struct run_result){0};
    if (begin(g, input, size, &why) < 0)
        return fail(error, &why);
    begun = events_now();
    do {
        if (kvmvmm_run(g->machine, &limits, &event, &why) < 0)
            return fail(error, &why);
        spent = events_now() - begun; /* includes the time at breakpoints; 0 would mean no limit */
        limits.nanoseconds = spent < g->timeout ? g->timeout - spent : 1;
        result->exits += event.exits;
        if (event.reason == KVMVMM_BREAKPOINT)
            meet(g, event.address, result);
    } while (event.reason == KVMVMM_BREAKPOINT);
    judge(g, &event, result);
    return 0;
}

/* ---- Explaining a crash --------------------------------------------------------- */

/* Finds the state before the last instruction, which a shutdown has destroyed: repeats the run, and
 * steps it from its last exit on. */
static bool step_to_end(struct guest *g, uint64_t exits, struct snapshot *s)
{
    static const uint64_t no_addresses[4];
    struct vcpu *vcpu = &g->machine->vm.vcpus[0];
    struct kvmvmm_limits limits = {.exits = exits - 1, .nanoseconds = g->timeout};
    struct kvmvmm_event event;
    struct kvmvmm_error why;
    struct error ignored;
    bool ended = false;

    if (exits > 1 &&
        (kvmvmm_run(g->machine, &limits, &event, &why) < 0 || event.reason != KVMVMM_EXITS))
        return false;
    vcpu_begin(vcpu);
    for (unsigned i = 0; i < STEPS_MAX && !ended; i++) {
        if (kvmvmm_look(g->machine, s, &ignored) < 0 ||
            kvm_set_guest_debug(&vcpu->cpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
                                no_addresses, 0) < 0)
            break;
        ended = vcpu_run_once(vcpu) == VERDICT_STOP;
    }
    thread_kick_flag(NULL);
    g->machine->breakpoints.control = UINT32_MAX; /* makes the next run set the breakpoints again */
    return ended;
}

void guest_explain(struct guest *g, const uint8_t *input, size_t size,
                   const struct run_result *result, char *text, size_t room)
{
    const struct vm *vm = &g->machine->vm;
    const struct diagnose_hint hint = {-1, -1};
    struct text page_text = text_in(text, room);
    struct run_result again;
    struct kvmvmm_error why;
    struct diagnosis diagnosis;
    struct snapshot s;
    struct error error;
    struct page page = {.snapshot = &s, .diagnosis = &diagnosis};

    text[0] = '\0';
    if (guest_run(g, input, size, &again, &error) < 0 || again.verdict != result->verdict)
        return; /* the crash does not happen again */
    if (kvmvmm_look(g->machine, &s, &error) < 0)
        return;
    if (kvm_was_reset(&s.regs, &s.sregs) &&
        (begin(g, input, size, &why) < 0 || !step_to_end(g, again.exits, &s)))
        return;
    diagnosis = diagnose_fault(&s, hint);
    page.symbols = guest_image_symbols(vm);
    page.wide = vm->mode == MODE_LONG || vm->mode == MODE_LINUX;
    page_print(&page_text, &page);
}
