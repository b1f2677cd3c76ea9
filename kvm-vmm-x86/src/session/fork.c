/* Copies of a run; see session/fork.h. A copy starts like a new program, with options made from its
 * origin's, and uses the memory and state that are already in the process. */
#include "session/fork.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/linux/kernel_cache.h"
#include "console/ports.h"
#include "control/server.h"
#include "fuse/server.h"
#include "host/disk/disk.h"
#include "host/events.h"
#include "host/guard.h"
#include "host/process.h"
#include "vm/alarm.h"
#include "vm/create.h"
#include "vm/deck.h"

/* ---- The guest's request ---------------------------------------------------------------- */

static struct {
    struct lock lock;
    bool allowed;
    unsigned copy;  /* see struct options; under the lock, as all below */
    unsigned asked; /* COPY_ASKED by the vCPU that waits for a copy */
    bool is_answered;
    enum fork_answer answer;
    uint64_t number;
} session_fork_calls;

void session_fork_call_init(const struct options *options)
{
    memset(&session_fork_calls, 0, sizeof session_fork_calls);
    lock_init(&session_fork_calls.lock);
    session_fork_calls.allowed = options->forks != 0;
    session_fork_calls.copy = options->copy;
}

/* True: there is an answer, and the request is finished. */
static bool ask(unsigned asker, enum fork_answer *answer, uint64_t *number)
{
    bool is_answered = session_fork_calls.is_answered && session_fork_calls.asked == asker;

    if (session_fork_calls.copy == asker) { /* the copy repeats its origin's hypercall */
        session_fork_calls.copy = COPY_PLAIN;
        *answer = FORK_MADE;
        *number = 0;
        return true;
    }
    *answer = session_fork_calls.copy != 0 ? FORK_REFUSED : session_fork_calls.answer;
    *number = session_fork_calls.number;
    if (session_fork_calls.asked == 0 && session_fork_calls.copy == 0)
        session_fork_calls.asked = asker;
    else if (is_answered)
        session_fork_calls.asked = session_fork_calls.is_answered = false;
    return is_answered || session_fork_calls.copy != 0;
}

/* The answer is recorded on the tape, for the second run of a guest that crashes. */
enum fork_answer session_fork_call(void *context, const struct bus_cpu *cpu, uint64_t *number)
{
    const struct vcpu *vcpu = (const void *)((const char *)cpu - offsetof(struct vcpu, for_bus));
    enum fork_answer answer;
    uint64_t played;
    bool over;

    (void)context;
    if (deck_plays(TAPE_INPUT, &played)) {
        *number = played >> 1;
        return played & 1 ? FORK_REFUSED : FORK_MADE;
    }
    if (!session_fork_calls.allowed && session_fork_calls.copy == 0)
        return FORK_OFF;
    lock_take(&session_fork_calls.lock);
    over = ask(COPY_ASKED + vcpu->id, &answer, number);
    lock_release(&session_fork_calls.lock);
    if (!over) {
        events_wake();
        return FORK_LATER;
    }
    vm_wake(vcpu->vm); /* another vCPU may be waiting to ask */
    deck_note(TAPE_INPUT, *number << 1 | (answer == FORK_REFUSED));
    return answer;
}

unsigned session_fork_asked(void)
{
    unsigned asked;

    lock_take(&session_fork_calls.lock);
    asked = session_fork_calls.is_answered ? 0 : session_fork_calls.asked;
    lock_release(&session_fork_calls.lock);
    return asked;
}

void session_fork_answer(enum fork_answer answer, uint64_t number)
{
    lock_take(&session_fork_calls.lock);
    session_fork_calls.is_answered = true;
    session_fork_calls.answer = answer;
    session_fork_calls.number = number;
    lock_release(&session_fork_calls.lock);
}

/* ---- Whether it can be forked --------------------------------------------------------------- */

/* See describe_devices. */
static bool makes_files(const struct guest_config *c)
{
    bool makes = c->vsock.cid != 0 || c->debugcon != NULL;

    for (unsigned i = 0; i < c->port_count; i++)
        makes |= c->ports[i].kind == SERIAL_FILE || c->ports[i].kind == SERIAL_UNIX;
    return makes;
}

int session_fork_check_run(const struct options *options, const struct guest_config *c,
                           struct error *error)
{
    if (options->gdb != NULL || options->log != NULL || options->stats || options->boot_report ||
        options->record != NULL || options->replay != NULL)
        return error_set(error, "a run with --gdb, --log, --record, --replay, --stats or "
                                "--boot-report cannot be forked");
    if (c->own_irqchip)
        return error_set(error, "a guest with --irqchip vmm cannot be forked");
    if (c->text_screen)
        return error_set(error, "a guest on the display (--display) cannot be forked");
    for (unsigned i = 0; i < c->disk_count; i++)
        if (!c->disks[i].read_only && !c->disks[i].overlay)
            return error_set(
                error,
                "disk %u, %.*s, is written directly: a guest can be forked only with ,ro "
                "or ,overlay",
                i, (int)c->disks[i].path_length, c->disks[i].path);
    for (unsigned i = 0; i < c->disk_count; i++)
        if (strncmp(c->disks[i].path, DISK_NBD, strlen(DISK_NBD)) == 0)
            return error_set(
                error, "disk %u is on an NBD server: a guest with such a disk cannot be forked", i);
    for (unsigned i = 0; i < c->net_count; i++)
        if (c->nets[i].kind != NET_USER)
            return error_set(error, "a guest with --net tap or passt cannot be forked: two "
                                    "machines would have the same address");
    if (options->service != NULL && options->control == NULL && !options->no_sandbox &&
        makes_files(c))
        return error_set(
            error, "each copy needs a new socket or file for --vsock, --debugcon, and a --console "
                   "or --port of file: or unix:, which the sandbox allows only with --control");
    return 0;
}

int session_fork_check(const struct vm *vm, const struct options *options, struct error *error)
{
    const struct guest_config *c = vm->config;

    if (session_fork_check_run(options, c, error) < 0)
        return -1;
    for (unsigned i = 0; i < vm->memory.count; i++)
        if (vm->memory.slots[i].backing == MEMORY_SHARED)
            return error_set(error, "a guest whose memory is shared (memfd) cannot be forked: its "
                                    "copies would write to the same memory");
    return 0;
}

int session_fork_check_verb(const struct vm *vm, const struct options *options, struct error *error)
{
    if (vm->config->image_bytes != NULL)
        return error_set(error, "a guest of `kvm-vmm run` cannot be forked (--each makes copies)");
    return session_fork_check(vm, options, error);
}

/* ---- The copy ------------------------------------------------------------------------------- */

/* Storage for the copy's configuration, beside its origin's strings. */
static struct {
    struct options options;
    struct saved_guest saved;
    struct memory memory;
    char control[CONTROL_NAME_MAX], said[CONTROL_SAID_MAX];
    char disks[DISKS_MAX][PROCESS_PATH_MAX];
    struct process process;
    bool was_made; /* this process has made a copy */
    unsigned last; /* the number of its last copy */
} session_copy;

/* The name of a copy's own file; it is never freed. */
static const char *number_path(const char *path, unsigned number)
{
    size_t room = strlen(path) + 12;
    char *numbered = malloc(room);

    if (numbered != NULL)
        snprintf(numbered, room, "%s.%u", path, number);
    return numbered != NULL ? numbered : "/dev/null";
}

static void describe_devices(struct guest_config *c, unsigned number)
{
    for (unsigned i = 0; i < c->disk_count; i++) {
        struct disk_config *disk = &c->disks[i];

        process_path(session_copy.disks[i], disk_file(disk->open));
        disk->path = session_copy.disks[i];
        disk->path_length = strlen(disk->path);
        disk->origin = disk->open;
        disk->open = NULL;
    }
    for (unsigned i = 0; i < c->net_count; i++) {
        struct net_config *net = &c->nets[i];

        memcpy(net->mac,
               (const uint8_t[6]){0x52, 0x54, 0x01, (uint8_t)(number >> 8), (uint8_t)number,
                                  (uint8_t)i},
               sizeof net->mac);
        net->forward_count = 0; /* the origin has the host's ports */
        net->open = NULL;
    }
    for (unsigned i = 0; i < c->port_count; i++)
        if (c->ports[i].kind == SERIAL_FILE || c->ports[i].kind == SERIAL_UNIX)
            c->ports[i].path = number_path(c->ports[i].path, number);
    c->channels = NULL;
    if (c->serial != SERIAL_KEPT)
        c->serial = SERIAL_STDIO; /* which goes to the copy's output file */
    c->serial_path = NULL;
    if (c->debugcon != NULL)
        c->debugcon = number_path(c->debugcon, number);
    if (c->vsock.cid != 0)
        c->vsock.path = number_path(c->vsock.path, number);
    c->vsock.open = NULL;
}

static void describe(const struct vm *vm, const struct options *options,
                     const struct control_order *order, const struct control_copy *copy)
{
    struct guest_config *c = &session_copy.options.guests[0];

    session_copy.was_made = false;
    session_copy.last = 0;
    session_copy.memory = vm->memory;
    session_copy.saved = (struct saved_guest){.memory = &session_copy.memory,
                                              .mode = vm->mode,
                                              .paging = vm->paging,
                                              .base = vm->memory.slots[0].base,
                                              .state = order->state->bytes,
                                              .state_size = order->state->used,
                                              .firmware = order->firmware->bytes,
                                              .firmware_size = order->firmware->used};
    session_copy.options = *options;
    session_copy.options.count = 1;
    session_copy.options.input = 0;
    session_copy.options.restore = NULL;
    session_copy.options.take_signal = NULL;
    session_copy.options.service = NULL;
    session_copy.options.forks = 0;
    session_copy.options.copy = order->copy != 0 ? order->copy : COPY_PLAIN;
    session_fork_call_init(&session_copy.options);
    session_copy.options.no_sandbox = true; /* it is already in its origin's sandbox */
    *c = *vm->config;
    c->memory = vm->ram_size;
    c->cpus = vm->vcpu_count;
    c->saved = &session_copy.saved;
    describe_devices(c, copy->number);
    snprintf(session_copy.control, sizeof session_copy.control, "%s", copy->name);
    if (options->control != NULL)
        session_copy.options.control = session_copy.control;
    snprintf(session_copy.said, sizeof session_copy.said, "%s",
             order->said != NULL ? order->said : "");
}

static void tell_origin(void)
{
    process_report(&session_copy.process);
    if (session_copy.said[0] != '\0')
        ports_send_control(session_copy.said);
}

bool session_fork_outlives(const struct options *options)
{
    return options->service != NULL && options->forks == 0 && session_copy.was_made;
}

/* Drops the origin's state that the fork has copied: its threads do not exist here. */
static void forget_origin(struct vm *vm)
{
    control_leave();
    events_leave();
    alarm_leave();
    guard_remove(&vm->memory);
    for (unsigned i = 0; i < vm->vcpus_made; i++)
        kvm_leave_vcpu(&vm->vcpus[i].cpu);
    for (unsigned i = 0; i < vm->config->disk_count; i++)
        disk_leave(vm->config->disks[i].open);
    for (unsigned i = 0; i < vm->config->share_count; i++)
        fuse_server_leave(vm->config->shares[i].open);
    ports_leave();
    kernel_cache_leave();
}

/* Names the copy's control socket, and its output file beside it. */
static int name_copy(const struct options *options, bool bound, struct control_copy *copy,
                     struct error *error)
{
    struct endpoint endpoint;

    if (options->control == NULL)
        return 0;
    if (snprintf(copy->name, sizeof copy->name, "%s.%u", options->control, copy->number) >=
        (int)sizeof copy->name)
        return error_set(error, "the name %s is too long", options->control);
    if (control_endpoint(&endpoint, copy->name, true, error) < 0)
        return -1;
    if (!bound && snprintf(copy->output, sizeof copy->output, "%s.out", endpoint.path) >=
                      (int)sizeof copy->output)
        return error_set(error, "the path %s is too long", endpoint.path);
    return 0;
}

int session_fork(struct vm *vm, const struct options *options, const struct control_order *order,
                 int (*run)(const struct options *options), struct control_copy *copy,
                 struct error *error)
{
    int result;

    copy->number = ++session_copy.last;
    if (name_copy(options, order->bound, copy, error) < 0)
        return -1;
    result = process_copy(&copy->process, order->bound, error);
    if (result != 0) {
        session_copy.was_made |= result > 0;
        return result < 0 ? -1 : 0;
    }
    describe(vm, options, order, copy);
    session_copy.process = copy->process;
    session_copy.options.begun = tell_origin;
    forget_origin(vm);
    process_settle(&session_copy.process,
                   &(struct process_streams){.output = order->bound ? NULL : copy->output,
                                             .out = order->out,
                                             .err = order->err,
                                             .typed = order->typed,
                                             .ends = order->bound});
    process_end(&session_copy.process, (uint16_t)run(&session_copy.options));
}
