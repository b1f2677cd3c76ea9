/* The verb `fork`; see fork.h. The guest is paused until its copies run and have what they need of
 * it, mainly its disks' overlays. */
#include "control/fork.h"

#include <stdlib.h>
#include <string.h>

#include "host/events.h"
#include "host/kvm/state.h"
#include "vm/state.h"

static struct {
    struct control_run run;
    struct pause_holder holder;
    bool busy; /* a fork is under way: */
    unsigned guest;
    unsigned wanted, made, waited_for; /* copies */
    char typed[CONTROL_TYPED_MAX];
    struct control_copy copies[CONTROL_COPIES_MAX];
    struct event_source reports[CONTROL_COPIES_MAX];
    struct error error;
} forks;

static void on_quiet(void *context)
{
    (void)context;
    events_wake();
}

void control_fork_init(const struct control_run *run)
{
    memset(&forks, 0, sizeof forks);
    forks.run = *run;
    forks.holder.quiet = on_quiet;
}

static struct vm *vm_of(void)
{
    return &forks.run.vms[forks.guest];
}

static void let_go(void)
{
    struct vm *vm = vm_of();

    for (unsigned i = 0; i < forks.made; i++)
        if (!forks.copies[i].told) {
            events_want(&forks.reports[i], 0);
            process_forget(&forks.copies[i].process);
        }
    for (unsigned v = 0; v < vm->vcpu_count && vm_is_quiet(vm, &forks.holder); v++)
        kvm_mark_paused(&vm->vcpus[v].cpu);
    vm_resume(vm, &forks.holder);
    forks.busy = false;
}

bool control_fork_is_busy(void)
{
    return forks.busy;
}

void control_fork_forget(unsigned guest)
{
    if (forks.busy && forks.guest == guest)
        let_go();
}

/* --- copying --- */

static int make_copies(struct error *error)
{
    struct vm *vm = vm_of();
    size_t rooms[] = {vm_state_size(vm->vcpu_count), firmware_size(vm)};
    struct chunk_writer state = {.bytes = malloc(rooms[0]), .room = rooms[0]};
    struct chunk_writer firmware = {.bytes = malloc(rooms[1] + 1), .room = rooms[1]};
    struct control_order order = {.state = &state, .firmware = &firmware, .typed = forks.typed};
    int result = state.bytes == NULL || firmware.bytes == NULL ? error_set(error, "out of memory")
                                                               : vm_save(vm, &state, error);

    if (result == 0)
        firmware_save(vm, &firmware);
    while (result == 0 && forks.made < forks.wanted) {
        struct control_copy *copy = &forks.copies[forks.made];

        result = forks.run.copy(vm, forks.run.options, &order, forks.run.begin, copy, error);
        if (result == 0) {
            forks.reports[forks.made] =
                (struct event_source){.fd = copy->process.report, .ready = on_quiet};
            events_want(&forks.reports[forks.made], EVENTS_READ);
            forks.made++;
        }
    }
    free(state.bytes);
    free(firmware.bytes);
    return result;
}

/* Whether every copy has reported that it runs, or has failed. */
static bool are_all_told(void)
{
    bool all = true;
    uint16_t word;

    for (unsigned i = 0; i < forks.made; i++) {
        struct control_copy *copy = &forks.copies[i];

        if (copy->told)
            continue;
        events_want(&forks.reports[i], 0); /* before its end of the pipe is closed */
        switch (process_hear(&copy->process, &word)) {
        case PROCESS_QUIET:
            events_want(&forks.reports[i], EVENTS_READ);
            all = false;
            continue;
        case PROCESS_BEGUN:
            process_forget(&copy->process); /* its later end does not matter here */
            break;
        default:
            if (forks.error.text[0] == '\0')
                error_set(&forks.error, "%s did not start: %s says why", copy->name, copy->output);
            break;
        }
        copy->told = true;
    }
    return all;
}

static void tell_copies(struct json_out *out)
{
    json_open(out, "copies", '[');
    for (unsigned i = 0; i < forks.made; i++) {
        const struct control_copy *copy = &forks.copies[i];

        json_open(out, NULL, '{');
        json_string(out, "name", copy->name);
        json_number(out, "pid", (uint64_t)copy->process.pid);
        json_string(out, "output", copy->output);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* --- the verb --- */

static int check(const struct control_request *request, struct error *error)
{
    const struct json_value *whole = request->json->values;
    const char *typed = "";
    uint64_t count;

    if (forks.run.count > 1)
        return error_set(error, "a run of several guests cannot be forked");
    if (!json_get_number(request->json, whole, "count", &count) || count == 0 ||
        count > CONTROL_COPIES_MAX)
        return error_set(error, "\"count\" is not a number from 1 to %d", CONTROL_COPIES_MAX);
    if (json_member(request->json, whole, "run") != NULL &&
        (!json_get_string(request->json, whole, "run", &typed) ||
         strlen(typed) + 2 > sizeof forks.typed))
        return error_set(error, "\"run\" is not a text of less than %zu bytes", sizeof forks.typed);
    if (forks.busy)
        return error_set(error, "the guest is already being forked");
    if (!forks.run.is_running(0))
        return error_set(error, "the guest does not run now");
    if (forks.run.check_copy(&forks.run.vms[0], forks.run.options, error) < 0)
        return -1;
    forks.wanted = (unsigned)count;
    strcpy(forks.typed, typed);
    if (typed[0] != '\0')
        strcat(forks.typed, "\n");
    return 0;
}

enum verb_result control_fork_begin(struct control_request *request, struct json_out *out,
                                    struct error *error)
{
    (void)out;
    if (check(request, error) < 0)
        return VERB_FAILED;
    forks.busy = true;
    forks.guest = 0;
    forks.made = 0;
    forks.error.text[0] = '\0';
    memset(forks.copies, 0, sizeof forks.copies);
    (void)vm_pause(vm_of(), &forks.holder);
    events_wake(); /* a copy is made in `again`, outside of the loop's own calls */
    return VERB_LATER;
}

enum verb_result control_fork_again(struct control_request *request, struct json_out *out,
                                    struct error *error)
{
    (void)request;
    if (!forks.busy || !forks.run.is_running(forks.guest)) {
        if (forks.busy)
            let_go();
        error_set(error, "the guest ended before it was forked");
        return VERB_FAILED;
    }
    if (forks.made == 0 && forks.error.text[0] == '\0') {
        if (!vm_is_quiet(vm_of(), &forks.holder))
            return VERB_LATER;
        (void)!make_copies(&forks.error);
    }
    if (!are_all_told())
        return VERB_LATER;
    let_go();
    if (forks.error.text[0] != '\0') {
        *error = forks.error;
        return VERB_FAILED;
    }
    tell_copies(out);
    return VERB_DONE;
}
