/* Creates and runs machines in this process; see kvmvmm.h. Memory and registers: access.c. */
#include "kvmvmm/kvmvmm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/events.h"
#include "kvmvmm/machine.h"
#include "vm/alarm.h"
#include "vm/create.h"
#include "watch/gdb/traps.h"

/* The interval at which a running guest is checked: its clocks, and whether it has halted for ever.
 */
#define LOOK UINT64_C(100000000)

/* ---- Output and input of a machine ----------------------------------------------------------- */

static void output(void *context, const uint8_t *bytes, size_t count)
{
    struct kvmvmm *m = context;

    if (m->output != NULL)
        m->output(m->context, bytes, count);
}

static int input(void *context)
{
    struct kvmvmm *m = context;

    if (m->input_left == 0)
        return INPUT_END;
    m->input_left--;
    return *m->input++;
}

static int pending(void *context)
{
    const struct kvmvmm *m = context;

    return m->input_left == 0          ? INPUT_END
           : m->input_left < INT32_MAX ? (int)m->input_left
                                       : INT32_MAX;
}

static bool call(void *context, uint8_t number)
{
    struct kvmvmm *m = context;

    m->event.reason = KVMVMM_CALL;
    m->event.call = number;
    return m->stopped = true;
}

static void connect_guest(struct vm *vm)
{
    vm->backend.output = output;
    vm->backend.input = input;
    vm->backend.pending = pending;
    vm->backend.call = call;
    vm->serial = vm->backend;
}

static const struct vm_program program = {.connect = connect_guest};

/* ---- Debug events ---------------------------------------------------------------------------- */

static int keep_vcpu(void *context, struct vcpu *vcpu, void **state, struct error *error)
{
    (void)vcpu;
    (void)error;
    *state = context;
    return 0;
}

static bool take_debug(void *state, struct vcpu *vcpu)
{
    const struct kvm_run *run = vcpu->cpu.run;
    struct kvmvmm *m = state;
    bool port = run->exit_reason == KVM_EXIT_IO && run->io.port == TRAPS_PORT &&
                run->io.direction == KVM_EXIT_IO_OUT && run->io.size == 1;

    if (port && m->breakpoints.count > 0)
        kvmvmm_met_port(m);
    else if (run->exit_reason == KVM_EXIT_DEBUG)
        kvmvmm_met(m);
    else
        return false;
    return true;
}

static const struct observer debug_observer = {
    .name = "kvmvmm", .vcpu_made = keep_vcpu, .takes_exit = take_debug};

/* ---- Creation -------------------------------------------------------------------------------- */

static int configure(struct kvmvmm *m, const struct kvmvmm_config *c, struct error *error)
{
    static const enum guest_mode modes[] = {MODE_BY_CONTENT, MODE_REAL, MODE_PROTECTED, MODE_LONG};

    if (c->image == NULL)
        return error_set(error, "a machine needs an image");
    if ((unsigned)c->mode >= sizeof modes / sizeof modes[0])
        return error_set(error, "%s: mode %d does not exist", c->image, (int)c->mode);
    if (c->initrd_count > sizeof c->initrds / sizeof c->initrds[0])
        return error_set(error, "%s: %u initial ramdisks; at most %zu", c->image, c->initrd_count,
                         sizeof c->initrds / sizeof c->initrds[0]);
    if (c->memory % PAGE_SIZE != 0)
        return error_set(error, "%s: %llu bytes of memory: not a multiple of 4K", c->image,
                         (unsigned long long)c->memory);
    m->output = c->output;
    m->context = c->context;
    m->config = (struct guest_config){.image = c->image,
                                      .image_bytes = c->bytes,
                                      .image_size = c->bytes_size,
                                      .mode = modes[c->mode],
                                      .memory = c->memory,
                                      .cpus = 1,
                                      .has_load = c->has_load,
                                      .load = c->load,
                                      .has_entry = c->has_entry,
                                      .entry = c->entry,
                                      .append = c->append,
                                      .initrd_count = c->initrd_count,
                                      .no_ctrl_d = true,
                                      .kvm = c->kvm != NULL ? c->kvm : "/dev/kvm"};
    memcpy(m->config.initrds, c->initrds, c->initrd_count * sizeof c->initrds[0]);
    return 0;
}

struct kvmvmm *kvmvmm_create(const struct kvmvmm_config *config, struct kvmvmm_error *error)
{
    struct kvmvmm *m = calloc(1, sizeof *m);
    struct error why;

    if (m == NULL) {
        error_set(&why, "out of memory");
        goto fail;
    }
    thread_kicks_init();
    observers_add(&m->observers, &guest_image_observer, &m->image);
    observers_add(&m->observers, &debug_observer, m);
    if (configure(m, config, &why) < 0 ||
        vm_create(&m->vm, 0, &m->config, &program, &m->observers, &why) < 0)
        goto release;
    return m;

release:
    guest_image_release(&m->image);
    free(m);
fail:
    (void)kvmvmm_fail(error, &why);
    return NULL;
}

void kvmvmm_destroy(struct kvmvmm *m)
{
    if (m == NULL)
        return;
    thread_ticks_close(&m->ticks);
    kvmvmm_forget_snapshot(m);
    kvmvmm_forget_breakpoints(m);
    vm_destroy(&m->vm);
    guest_image_release(&m->image);
    free(m);
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Translates the end of the guest into the library's terms. */
static void tell_end(struct kvmvmm_event *event, const struct vm_end *end)
{
    static const enum kvmvmm_end ends[] = {
        [END_EXIT] = KVMVMM_EXITED, [END_CODE] = KVMVMM_EXITED,   [END_RESET] = KVMVMM_RESET,
        [END_HALT] = KVMVMM_HALTED, [END_CRASH] = KVMVMM_CRASHED, [END_FAILED] = KVMVMM_FAILED,
    };

    event->reason = KVMVMM_ENDED;
    event->end = ends[end->kind];
    event->status = end->code;
    snprintf(event->text, sizeof event->text, "%s", end->message);
}

/* With interrupt controllers in the kernel HLT is not an exit, so this detects a halt for ever. */
static void look_for_end(struct kvmvmm *m, uint64_t *progress)
{
    const struct vcpu *vcpu = &m->vm.vcpus[0];
    uint64_t now = vcpu_progress(vcpu);

    if (m->vm.irqchip && now == *progress && kvm_halt_state(&vcpu->cpu) == KVM_HALT_DEAD)
        vm_stop(&m->vm, END_HALT, 0, "%s", "");
    *progress = now;
    alarm_tick(&m->vm.machine);
}

static void stop_by(struct kvmvmm *m, enum kvmvmm_reason reason)
{
    m->event.reason = reason;
    m->stopped = true;
}

static void check_limits(struct kvmvmm *m, const struct kvmvmm_limits *limits, uint64_t exits,
                         uint64_t end)
{
    if (limits->exits != 0 && m->vm.vcpus[0].stats.exits - exits >= limits->exits)
        stop_by(m, KVMVMM_EXITS);
    else if (limits->nanoseconds != 0 && events_now() >= end)
        stop_by(m, KVMVMM_TIME);
}

static int run(struct kvmvmm *m, const struct kvmvmm_limits *limits, struct error *error)
{
    struct vcpu *vcpu = &m->vm.vcpus[0];
    uint64_t begun = events_now(), look = begun + LOOK, exits = vcpu->stats.exits;
    uint64_t progress = UINT64_MAX, time = limits->nanoseconds;
    uint64_t end = time < UINT64_MAX - begun ? begun + time : UINT64_MAX;
    int result;

    m->event = (struct kvmvmm_event){.reason = KVMVMM_ENDED};
    m->stopped = false;
    if (m->input_left > 0) /* raises the serial port's interrupt for a guest that waits for it */
        serial_input_ready(&m->vm.machine.serial);
    vcpu_begin(vcpu);
    if (thread_ticks_begin(&m->ticks, time != 0 && time < LOOK ? time : LOOK, LOOK, error) < 0) {
        thread_kick_flag(NULL);
        return -1;
    }
    result = kvmvmm_begin_step(m, error);
    while (result == 0 && !m->stopped && vm_end_of(&m->vm).kind == END_NONE) {
        /* Before the guest sleeps: that would park the caller's thread. */
        if (vcpu->requests != 0 && vm_is_asleep(&m->vm))
            vm_stop(&m->vm, END_HALT, 0, "the guest sleeps (S3), and nothing wakes it here");
        if (vcpu_run_once(vcpu) == VERDICT_STOP || (result = kvmvmm_end_step(m, false, error)) < 0)
            break;
        if (!m->stopped) /* otherwise something else stopped the guest */
            check_limits(m, limits, exits, end);
        if (!m->stopped && events_now() < look)
            continue;
        look_for_end(m, &progress);
        look = events_now() + LOOK;
    }
    thread_ticks_stop(&m->ticks);
    m->event.exits = vcpu->stats.exits - exits;
    if (vm_end_of(&m->vm).kind == END_NONE) /* otherwise the registers must show where it ended */
        pause_finish_exit(vcpu);
    thread_kick_flag(NULL); /* the machine may be freed before the thread ends */
    return result < 0 ? result : kvmvmm_end_step(m, true, error);
}

int kvmvmm_run(struct kvmvmm *m, const struct kvmvmm_limits *limits, struct kvmvmm_event *event,
               struct kvmvmm_error *error)
{
    static const struct kvmvmm_limits no_limits;
    struct vm_end end = vm_end_of(&m->vm);
    struct error why;

    if (end.kind != END_NONE)
        error_set(&why, "the guest has ended; kvmvmm_reset to a snapshot lets it run again");
    if (end.kind != END_NONE || run(m, limits != NULL ? limits : &no_limits, &why) < 0)
        return kvmvmm_fail(error, &why);
    end = vm_end_of(&m->vm);
    if (end.kind != END_NONE)
        tell_end(&m->event, &end);
    *event = m->event;
    return 0;
}

void kvmvmm_set_input(struct kvmvmm *m, const void *bytes, size_t count)
{
    m->input = bytes;
    m->input_left = count;
}
