/* The verbs of the control socket; see verbs.h. */
#include "control/verbs.h"

#include <stddef.h>
#include <string.h>

#include "console/display.h"
#include "console/screen.h"
#include "control/fork.h"
#include "host/events.h"
#include "host/kvm/state.h"
#include "host/kvm/stats.h"
#include "options/options.h"
#include "snapshot/save.h"

static struct control {
    struct control_run run;
    struct pause_holder users[GUESTS_MAX]; /* who said `pause` */
    bool saving;                           /* a snapshot is being taken: */
    struct snapshot_save save;
    struct folder_files *giver; /* whose request passed its files */
    struct pause_holder saver;
    struct control_log logs[GUESTS_MAX]; /* they begin with the guests */
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
    control.saver.quiet = on_quiet;
    for (unsigned i = 0; i < GUESTS_MAX; i++)
        control.users[i].quiet = on_quiet;
}

static void let_go(unsigned guest)
{
    vm_resume(&control.run.vms[guest], &control.saver);
    folder_move_files(control.giver, &control.save.folder.files); /* that no thread took */
    control.saving = false;
}

bool control_verbs_is_saving(void)
{
    return control.saving;
}

bool control_verbs_forget(unsigned guest)
{
    struct vm *vm = &control.run.vms[guest];

    if (control.saving && control.save.vm == vm) {
        if (!snapshot_save_end(&control.save))
            return false;
        let_go(guest);
    }
    control_fork_forget(guest);
    if (control.users[guest].holds)
        vm_resume(vm, &control.users[guest]);
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

/* The guests that the request is about and that run. A guest that is named must. */
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
    const struct vm *vm = &control.run.vms[i];

    json_open(out, NULL, '{');
    json_number(out, "guest", i);
    json_string(out, "state", state_of(i));
    if (!control.run.is_restarting(i)) {
        json_string(out, "image", vm->name);
        json_string(out, "mode", modes[vm->mode]);
        json_number(out, "memory", vm->ram_size);
        json_number(out, "vcpus", vm->vcpu_count);
        json_number(out, "exits", vm_exits(vm));
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
            error_set(error, "guest %u ended or went on before it stood still", i);
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
    if (control.run.options->forks != 0) {
        error_set(error, "a run with --forks cannot be reset; stop it and run it again");
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

/* --- snapshot --- */

/* "files" has the name of each descriptor that came with the request. */
static int take_files(struct control_request *request, struct folder_files *taken,
                      struct error *error)
{
    const struct json_value *names = json_member(request->json, request->json->values, "files");
    const struct json_value *name;
    unsigned count = 0;

    *taken = *request->files;
    while ((name = json_element(request->json, names, count)) != NULL && count < taken->count) {
        if (name->kind != JSON_STRING || strlen(name->text) >= FOLDER_NAME_MAX)
            return error_set(error, "\"files\" has something that is no name of a file");
        strcpy(taken->names[count++], name->text);
    }
    if (name != NULL || count != taken->count || count == 0)
        return error_set(error,
                         "\"files\" does not name each of the %u descriptors that came "
                         "with the request: those of the files to be written (kvm-vmm ctl "
                         "passes them)",
                         taken->count);
    request->files->count = 0;
    return 0;
}

/* The guest stands still first, then a thread writes. */
static enum verb_result go_on_saving(struct control_request *request, struct json_out *out,
                                     struct error *error)
{
    unsigned guest = first_of(request);
    struct vm *vm = &control.run.vms[guest];
    bool is_saved = control.saving && control.save.vm == vm;
    int result;

    if (!is_saved || (!control.save.pending && !control.run.is_running(guest))) {
        if (is_saved)
            let_go(guest);
        error_set(error, "the guest ended before it was saved");
        return VERB_FAILED;
    }
    if (!control.save.pending) {
        if (!vm_is_quiet(vm, &control.saver))
            return VERB_LATER;
        if (snapshot_save_begin(&control.save, error) == 0)
            return VERB_LATER;
        let_go(guest);
        return VERB_FAILED;
    }
    result = snapshot_save_take(&control.save, error);
    if (result == 0)
        return VERB_LATER;
    for (unsigned v = 0; v < vm->vcpu_count && vm_is_quiet(vm, &control.saver); v++)
        kvm_mark_paused(&vm->vcpus[v].cpu);
    let_go(guest);
    if (result < 0)
        return VERB_FAILED;
    json_string(out, "folder", control.save.folder.path);
    json_open(out, "files", '[');
    for (unsigned i = 0; i < control.save.folder.files.count; i++)
        if (control.save.folder.written[i])
            json_string(out, NULL, control.save.folder.files.names[i]);
    json_close(out, ']');
    return VERB_DONE;
}

static enum verb_result begin_snapshot(struct control_request *request, struct json_out *out,
                                       struct error *error)
{
    struct folder_files files;
    const char *folder;

    if (control.run.count > 1 && !request->one) {
        error_set(error, "\"guest\" must say which of the %u guests", control.run.count);
        return VERB_FAILED;
    }
    if (!json_get_string(request->json, request->json->values, "folder", &folder) ||
        folder[0] != '/' || strlen(folder) >= FOLDER_PATH_MAX) {
        error_set(error, "\"folder\" is not a path from the root on");
        return VERB_FAILED;
    }
    if (control.saving || control_fork_is_busy()) {
        error_set(error, control.saving ? "a snapshot is being taken already"
                                        : "the guest is being forked");
        return VERB_FAILED;
    }
    if (choose_running(request, error) < 0 ||
        snapshot_save_check(&control.run.vms[first_of(request)], error) < 0 ||
        take_files(request, &files, error) < 0)
        return VERB_FAILED;
    control.saving = true;
    control.save.vm = &control.run.vms[first_of(request)];
    control.save.holder = &control.saver;
    control.giver = request->files;
    folder_open(&control.save.folder, folder, &files, &control.save.stop);
    (void)vm_pause(control.save.vm, &control.saver);
    return go_on_saving(request, out, error);
}

/* Only one verb saves a guest at a time. */
static enum verb_result begin_fork(struct control_request *request, struct json_out *out,
                                   struct error *error)
{
    error_set(error, "a snapshot is being taken");
    return control.saving ? VERB_FAILED : control_fork_begin(request, out, error);
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
    {"list", NULL, NULL, "the verbs that this machine knows", begin_list, NULL},
    {"status", NULL, NULL, "its guests and what they do", begin_status, NULL},
    {"pause", NULL, NULL, "stops the guests until resume", begin_pause, wait_for_pause},
    {"resume", NULL, NULL, "lets them go on", begin_resume, NULL},
    {"power", NULL, NULL, "presses the power button", begin_power, NULL},
    {"stop", NULL, NULL, "ends the run", begin_stop, NULL},
    {"reset", NULL, NULL, "starts the guests again", begin_reset, NULL},
    {"snapshot", "folder", NULL, "saves a guest, for --restore", begin_snapshot, go_on_saving},
    {"fork", "count", NULL, "copies of a machine that run beside it", begin_fork,
     control_fork_again},
    {"stats", NULL, NULL, "exits, and KVM's own counters", begin_stats, NULL},
    {"screen", NULL, "text", "the text page at 0xb8000", begin_screen, NULL},
    {"log", NULL, "text", "what a guest printed last, up to 8 KiB", begin_log, NULL},
    {0},
};

const struct control_verb *control_verb(const char *name)
{
    for (const struct control_verb *v = control_verbs; v->name != NULL; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}
