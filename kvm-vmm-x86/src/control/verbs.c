/* The verbs of the control socket; see verbs.h. */
#include "control/verbs.h"

#include <stddef.h>
#include <string.h>

#include "console/display.h"
#include "console/screen.h"
#include "control/fork.h"
#include "control/snapshot.h"
#include "host/events.h"
#include "host/kvm/state.h"
#include "host/kvm/stats.h"
#include "options/options.h"

static struct control {
    struct control_run run;
    struct pause_holder users[GUESTS_MAX]; /* hold the guests paused by the verb `pause` */
    struct control_log logs[GUESTS_MAX];   /* begun when the guests are made, so init keeps them */
} control;

static void on_quiet(void *context)
{
    (void)context;
    events_wake();
}

void control_verbs_init(const struct control_run *run)
{
    memset(&control, 0, offsetof(struct control, logs));
    control.run = *run;
    control_fork_init(run);
    control_snapshot_init(run);
    for (unsigned i = 0; i < GUESTS_MAX; i++)
        control.users[i].quiet = on_quiet;
}

bool control_verbs_forget(unsigned guest)
{
    if (!control_snapshot_forget(guest))
        return false;
    control_fork_forget(guest);
    if (control.users[guest].holds)
        vm_resume(&control.run.vms[guest], &control.users[guest]);
    return true;
}

int control_choose(struct control_request *request, struct error *error)
{
    const struct json_value *whole = request->json->values;
    uint64_t guest;

    request->one = json_member(request->json, whole, "guest") != NULL;
    if (!request->one) {
        for (unsigned i = 0; i < control.run.count; i++)
            request->guests |= 1u << i;
        return 0;
    }
    if (!json_get_number(request->json, whole, "guest", &guest) || guest >= control.run.count)
        return error_set(error, "\"guest\" is not a number from 0 to %u", control.run.count - 1);
    request->guests = 1u << guest;
    return 0;
}

/* Chooses the running guests that the request is about. A guest that is named must run. */
static int choose_running(struct control_request *request, struct error *error)
{
    unsigned running = 0;

    for (unsigned i = 0; i < control.run.count; i++)
        if ((request->guests >> i & 1) != 0 && control.run.is_running(i))
            running |= 1u << i;
    request->guests = running;
    return running != 0 ? 0 : error_set(error, "the guest does not run now");
}

/* The first of the guests that the request is about. */
static unsigned first_of(const struct control_request *request)
{
    return (unsigned)__builtin_ctz(request->guests);
}

/* --- status --- */

static const char *state_of(unsigned guest)
{
    static const char *const names[] = {[VM_CREATED] = "created",
                                        [VM_RUNNING] = "running",
                                        [VM_PAUSED] = "paused",
                                        [VM_ENDED] = "ended"};

    return control.run.is_restarting(guest) ? "restarting"
                                            : names[vm_state(&control.run.vms[guest])];
}

static void write_guest(unsigned i, struct json_out *out)
{
    static const char *const modes[] = {[MODE_REAL] = "real",
                                        [MODE_PROTECTED] = "protected",
                                        [MODE_LONG] = "long",
                                        [MODE_LINUX] = "linux",
                                        [MODE_FIRMWARE] = "firmware"};
    struct vm *vm = &control.run.vms[i];
    uint64_t asked, given;

    json_open(out, NULL, '{');
    json_number(out, "guest", i);
    json_string(out, "state", state_of(i));
    if (!control.run.is_restarting(i)) {
        json_string(out, "image", vm->name);
        json_string(out, "mode", modes[vm->mode]);
        json_number(out, "memory", vm->ram_size);
        json_number(out, "vcpus", vm->vcpu_count);
        json_number(out, "exits", vm_exits(vm));
        if (vm->config->balloon) {
            balloon_read(&vm->machine.balloon, &asked, &given);
            json_number(out, "balloon_asked", asked);
            json_number(out, "balloon_given", given);
        }
    }
    json_close(out, '}');
}

static enum verb_result begin_status(struct control_request *request, struct json_out *out,
                                     struct error *error)
{
    (void)error;
    json_string(out, "name", control.run.name);
    json_open(out, "guests", '[');
    for (unsigned i = 0; i < control.run.count; i++)
        if (request->guests >> i & 1)
            write_guest(i, out);
    json_close(out, ']');
    return VERB_DONE;
}

/* --- pause, resume --- */

static enum verb_result wait_for_pause(struct control_request *request, struct json_out *out,
                                       struct error *error)
{
    (void)out;
    for (unsigned i = 0; i < control.run.count; i++) {
        if ((request->guests >> i & 1) == 0)
            continue;
        if (!control.users[i].holds || !control.run.is_running(i)) {
            error_set(error, "guest %u ended or was resumed before it was paused", i);
            return VERB_FAILED;
        }
        if (!vm_is_quiet(&control.run.vms[i], &control.users[i]))
            return VERB_LATER;
    }
    return VERB_DONE;
}

static enum verb_result begin_pause(struct control_request *request, struct json_out *out,
                                    struct error *error)
{
    if (choose_running(request, error) < 0)
        return VERB_FAILED;
    for (unsigned i = 0; i < control.run.count; i++)
        if (request->guests >> i & 1)
            (void)vm_pause(&control.run.vms[i], &control.users[i]);
    return wait_for_pause(request, out, error);
}

static enum verb_result begin_resume(struct control_request *request, struct json_out *out,
                                     struct error *error)
{
    (void)out;
    if (choose_running(request, error) < 0)
        return VERB_FAILED;
    for (unsigned i = 0; i < control.run.count; i++) {
        struct vm *vm = &control.run.vms[i];

        if ((request->guests >> i & 1) == 0 || !control.users[i].holds)
            continue;
        for (unsigned v = 0; v < vm->vcpu_count && vm_is_quiet(vm, &control.users[i]); v++)
            kvm_mark_paused(&vm->vcpus[v].cpu);
        vm_resume(vm, &control.users[i]);
    }
    return VERB_DONE;
}

/* --- power, reset, stop --- */

static enum verb_result begin_power(struct control_request *request, struct json_out *out,
                                    struct error *error)
{
    (void)out;
    if (choose_running(request, error) < 0)
        return VERB_FAILED;
    for (unsigned i = 0; i < control.run.count; i++)
        if (request->guests >> i & 1)
            acpi_pm_happen(&control.run.vms[i].machine.acpi_pm, ACPI_PM_POWER_BUTTON);
    return VERB_DONE;
}

static enum verb_result begin_reset(struct control_request *request, struct json_out *out,
                                    struct error *error)
{
    (void)out;
    if (choose_running(request, error) < 0)
        return VERB_FAILED;
    if (control.run.options->service != NULL) { /* it makes copies of one life of the guest */
        error_set(error, "a run with --forks or --each cannot be reset; stop it and run it again");
        return VERB_FAILED;
    }
    if (control_fork_is_busy()) { /* the copies still read the origin's overlays */
        error_set(error, "a guest is being forked; reset it when that has ended");
        return VERB_FAILED;
    }
    for (unsigned i = 0; i < control.run.count; i++)
        if (request->guests >> i & 1)
            vm_reset(&control.run.vms[i]);
    return VERB_DONE;
}

static enum verb_result begin_stop(struct control_request *request, struct json_out *out,
                                   struct error *error)
{
    (void)out;
    if (!request->one) {
        control.run.stop();
        return VERB_DONE;
    }
    if (choose_running(request, error) < 0)
        return VERB_FAILED;
    vm_stop(&control.run.vms[__builtin_ctz(request->guests)], END_LEFT, 0, "%s", "");
    return VERB_DONE;
}

/* Only one verb saves a guest at a time. */
static enum verb_result begin_snapshot(struct control_request *request, struct json_out *out,
                                       struct error *error)
{
    if (control_fork_is_busy()) {
        error_set(error, "a guest is being forked");
        return VERB_FAILED;
    }
    return choose_running(request, error) < 0 ? VERB_FAILED
                                              : control_snapshot_begin(request, out, error);
}

static enum verb_result begin_fork(struct control_request *request, struct json_out *out,
                                   struct error *error)
{
    error_set(error, "a snapshot is being taken");
    return control_snapshot_is_busy() ? VERB_FAILED : control_fork_begin(request, out, error);
}

/* --- balloon --- */

/* Sets the balloon of all guests that the request is about, or of none. */
static enum verb_result begin_balloon(struct control_request *request, struct json_out *out,
                                      struct error *error)
{
    uint64_t size;

    (void)out;
    if (choose_running(request, error) < 0)
        return VERB_FAILED;
    if (!json_get_number(request->json, request->json->values, "size", &size)) {
        error_set(error, "\"size\" is not a number of bytes");
        return VERB_FAILED;
    }
    for (unsigned i = 0; i < control.run.count; i++) {
        const struct vm *vm = &control.run.vms[i];

        if ((request->guests >> i & 1) != 0 && (!vm->config->balloon || size > vm->ram_size)) {
            error_set(error,
                      vm->config->balloon ? "guest %u has less memory, %llu bytes"
                                          : "guest %u has no balloon (--balloon)",
                      i, (unsigned long long)vm->ram_size);
            return VERB_FAILED;
        }
    }
    for (unsigned i = 0; i < control.run.count; i++)
        if (request->guests >> i & 1)
            balloon_ask(&control.run.vms[i].machine.balloon, size);
    return VERB_DONE;
}

/* --- stats, screen, log --- */

/* Counters of all vCPUs of a guest, added up by name. */
enum { COUNTERS_MAX = 96, COUNTER_NAME = 48 };
struct counters {
    char names[COUNTERS_MAX][COUNTER_NAME];
    uint64_t values[COUNTERS_MAX];
    unsigned count;
};

static void add_counter(void *context, const char *name, uint64_t value)
{
    struct counters *c = context;
    unsigned i = 0;

    while (i < c->count && strcmp(c->names[i], name) != 0)
        i++;
    if (i == COUNTERS_MAX || strlen(name) >= COUNTER_NAME)
        return;
    if (i == c->count) {
        strcpy(c->names[c->count++], name);
        c->values[i] = 0;
    }
    c->values[i] += value;
}

static enum verb_result begin_stats(struct control_request *request, struct json_out *out,
                                    struct error *error)
{
    static struct counters counters;

    if (choose_running(request, error) < 0)
        return VERB_FAILED;
    json_open(out, "guests", '[');
    for (unsigned i = 0; i < control.run.count; i++) {
        const struct vm *vm = &control.run.vms[i];

        if ((request->guests >> i & 1) == 0)
            continue;
        counters.count = 0;
        json_open(out, NULL, '{');
        json_number(out, "guest", i);
        json_open(out, "exits", '[');
        for (unsigned v = 0; v < vm->vcpus_made; v++) {
            json_number(out, NULL, __atomic_load_n(&vm->vcpus[v].stats.exits, __ATOMIC_RELAXED));
            kvm_stats_read(&vm->vcpus[v].cpu, add_counter, &counters);
        }
        json_close(out, ']');
        json_open(out, "kvm", '{');
        for (unsigned c = 0; c < counters.count; c++)
            if (counters.values[c] != 0)
                json_number(out, counters.names[c], counters.values[c]);
        json_close(out, '}');
        json_close(out, '}');
    }
    json_close(out, ']');
    return VERB_DONE;
}

static enum verb_result begin_screen(struct control_request *request, struct json_out *out,
                                     struct error *error)
{
    static struct screen_view view;
    static char text[SCREEN_TEXT_MAX];
    struct vm *vm;

    if (choose_running(request, error) < 0)
        return VERB_FAILED;
    vm = &control.run.vms[first_of(request)];
    if (!display_look(&vm->memory, &vm->machine.crtc, &view)) {
        error_set(error, "its memory does not reach the text page at 0xb8000");
        return VERB_FAILED;
    }
    json_bytes(out, "text", text, screen_print(&view, text));
    return VERB_DONE;
}

static void keep_output(void *context, struct vm *vm, const uint8_t *bytes, size_t count)
{
    struct control_log *log = context;
    LOCK_FOR_BLOCK(&log->lock);

    (void)vm;
    for (size_t i = 0; i < count; i++)
        log->bytes[log->written++ % CONTROL_LOG_MAX] = (char)bytes[i];
}

const struct observer control_log_observer = {.name = "control log", .output = keep_output};

struct control_log *control_log_of(unsigned guest)
{
    lock_init(&control.logs[guest].lock);
    return &control.logs[guest];
}

static enum verb_result begin_log(struct control_request *request, struct json_out *out,
                                  struct error *error)
{
    struct control_log *log = &control.logs[first_of(request)];
    static char text[CONTROL_LOG_MAX];
    size_t count;

    (void)error;
    lock_take(&log->lock);
    count = log->written < CONTROL_LOG_MAX ? log->written : CONTROL_LOG_MAX;
    for (size_t i = 0; i < count; i++)
        text[i] = log->bytes[(log->written - count + i) % CONTROL_LOG_MAX];
    lock_release(&log->lock);
    json_text(out, "text", text, count);
    return VERB_DONE;
}

/* --- the table --- */

static enum verb_result begin_list(struct control_request *request, struct json_out *out,
                                   struct error *error)
{
    (void)request;
    (void)error;
    json_open(out, "verbs", '[');
    for (const struct control_verb *v = control_verbs; v->name != NULL; v++)
        json_string(out, NULL, v->name);
    json_close(out, ']');
    return VERB_DONE;
}

const struct control_verb control_verbs[] = {
    {"list", NULL, NULL, "lists the verbs of this machine", begin_list, NULL},
    {"status", NULL, NULL, "reports the guests and their state", begin_status, NULL},
    {"pause", NULL, NULL, "stops the guests until resume", begin_pause, wait_for_pause},
    {"resume", NULL, NULL, "continues the guests", begin_resume, NULL},
    {"power", NULL, NULL, "presses the power button", begin_power, NULL},
    {"stop", NULL, NULL, "ends the run", begin_stop, NULL},
    {"reset", NULL, NULL, "starts the guests again", begin_reset, NULL},
    {"snapshot", "folder", NULL, "saves a guest, for --restore", begin_snapshot,
     control_snapshot_again},
    {"fork", "count", NULL, "makes copies of the running machine", begin_fork, control_fork_again},
    {"balloon", "size", NULL, "takes memory back from the guest", begin_balloon, NULL},
    {"stats", NULL, NULL, "reports exits, and KVM's own counters", begin_stats, NULL},
    {"screen", NULL, "text", "shows the text page at 0xb8000", begin_screen, NULL},
    {"log", NULL, "text", "shows what a guest printed last, up to 8 KiB", begin_log, NULL},
    {0},
};

const struct control_verb *control_verb(const char *name)
{
    for (const struct control_verb *v = control_verbs; v->name != NULL; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}
