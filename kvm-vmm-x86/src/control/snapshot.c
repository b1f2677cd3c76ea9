/* The verb `snapshot`; see snapshot.h. */
#include "control/snapshot.h"

#include <string.h>

#include "host/events.h"
#include "host/kvm/state.h"
#include "snapshot/save.h"

static struct {
    struct control_run run;
    bool busy; /* a snapshot is being taken: */
    struct snapshot_save save;
    struct folder_files *giver; /* of the client whose request passed the files */
    struct pause_holder holder;
    struct snapshot_track tracks[GUESTS_MAX];
} snapshot_control;

static void on_quiet(void *context)
{
    (void)context;
    events_wake();
}

void control_snapshot_init(const struct control_run *run)
{
    memset(&snapshot_control, 0, sizeof snapshot_control);
    snapshot_control.run = *run;
    snapshot_control.holder.quiet = on_quiet;
}

bool control_snapshot_is_busy(void)
{
    return snapshot_control.busy;
}

static void let_go(void)
{
    vm_resume(snapshot_control.save.vm, &snapshot_control.holder);
    folder_move_files(snapshot_control.giver,
                      &snapshot_control.save.folder.files); /* those that no thread has taken */
    snapshot_control.busy = false;
}

bool control_snapshot_forget(unsigned guest)
{
    if (snapshot_control.busy && snapshot_control.save.vm == &snapshot_control.run.vms[guest]) {
        if (!snapshot_save_end(&snapshot_control.save))
            return false;
        let_go();
    }
    snapshot_track_forget(&snapshot_control.tracks[guest]);
    return true;
}

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
            return error_set(error, "\"files\" has an element that is not a file name");
        strcpy(taken->names[count++], name->text);
    }
    if (name != NULL || count != taken->count || count == 0)
        return error_set(error,
                         "\"files\" must name the files to be written, one for each descriptor "
                         "that comes with the request; %u came (kvm-vmm ctl passes them)",
                         taken->count);
    request->files->count = 0;
    return 0;
}

/* First the guest is paused, then a thread writes. */
enum verb_result control_snapshot_again(struct control_request *request, struct json_out *out,
                                        struct error *error)
{
    unsigned guest = (unsigned)__builtin_ctz(request->guests);
    struct vm *vm = &snapshot_control.run.vms[guest];
    bool is_saved = snapshot_control.busy && snapshot_control.save.vm == vm;
    int result;

    if (!is_saved || (!snapshot_control.save.pending && !snapshot_control.run.is_running(guest))) {
        if (is_saved)
            let_go();
        error_set(error, "the guest ended before it was saved");
        return VERB_FAILED;
    }
    if (!snapshot_control.save.pending) {
        if (!vm_is_quiet(vm, &snapshot_control.holder))
            return VERB_LATER;
        if (snapshot_save_begin(&snapshot_control.save, error) == 0)
            return VERB_LATER;
        let_go();
        return VERB_FAILED;
    }
    result = snapshot_save_take(&snapshot_control.save, error);
    if (result == 0)
        return VERB_LATER;
    for (unsigned v = 0; v < vm->vcpu_count && vm_is_quiet(vm, &snapshot_control.holder); v++)
        kvm_mark_paused(&vm->vcpus[v].cpu);
    let_go();
    if (result < 0)
        return VERB_FAILED;
    json_string(out, "folder", snapshot_control.save.folder.path);
    json_number(out, "sum", snapshot_control.save.sum);
    if (snapshot_control.save.base[0] != '\0') {
        json_string(out, "base", snapshot_control.save.base);
        json_number(out, "base_sum", snapshot_control.save.base_sum);
        json_number(out, "pages", snapshot_control.save.pages);
    }
    json_open(out, "files", '[');
    for (unsigned i = 0; i < snapshot_control.save.folder.files.count; i++)
        if (snapshot_control.save.folder.written[i])
            json_string(out, NULL, snapshot_control.save.folder.files.names[i]);
    json_close(out, ']');
    return VERB_DONE;
}

static bool read_choice(const struct control_request *request, const char *name, bool *choice,
                        struct error *error)
{
    const struct json_value *whole = request->json->values;

    if (json_member(request->json, whole, name) == NULL ||
        json_get_bool(request->json, whole, name, choice))
        return true;
    error_set(error, "\"%s\" is neither true nor false", name);
    return false;
}

/* The client has given the folder with checksum `sum` its final name. If it says so after another
 * snapshot has begun, that is too late: the next --diff has more pages than it needs, but nothing
 * is lost. */
static enum verb_result placed(unsigned guest, uint64_t sum, struct json_out *out)
{
    struct snapshot_track *track = &snapshot_control.tracks[guest];
    bool mine = snapshot_control.busy && snapshot_control.save.track == track;

    json_bool(
        out, "counts",
        !mine && sum <= UINT32_MAX &&
            snapshot_track_placed(track, &snapshot_control.run.vms[guest].memory, (uint32_t)sum));
    return VERB_DONE;
}

enum verb_result control_snapshot_begin(struct control_request *request, struct json_out *out,
                                        struct error *error)
{
    struct folder_files files;
    const char *folder;
    bool diff = false, zstd = false;
    unsigned guest;
    uint64_t sum;

    if (snapshot_control.run.count > 1 && !request->one) {
        error_set(error, "\"guest\" must say which of the %u guests", snapshot_control.run.count);
        return VERB_FAILED;
    }
    guest = (unsigned)__builtin_ctz(request->guests);
    if (json_get_number(request->json, request->json->values, "placed", &sum))
        return placed(guest, sum, out);
    if (!json_get_string(request->json, request->json->values, "folder", &folder) ||
        folder[0] != '/' || strlen(folder) >= FOLDER_PATH_MAX) {
        error_set(error, "\"folder\" is not an absolute path");
        return VERB_FAILED;
    }
    if (!read_choice(request, "diff", &diff, error) || !read_choice(request, "zstd", &zstd, error))
        return VERB_FAILED;
    if (snapshot_control.busy) {
        error_set(error, "a snapshot is being taken already");
        return VERB_FAILED;
    }
    if (snapshot_save_check(&snapshot_control.run.vms[guest], error) < 0 ||
        take_files(request, &files, error) < 0)
        return VERB_FAILED;
    snapshot_track_drop(&snapshot_control.tracks[guest]);
    snapshot_control.busy = true;
    snapshot_control.giver = request->files;
    snapshot_control.save = (struct snapshot_save){.vm = &snapshot_control.run.vms[guest],
                                                   .holder = &snapshot_control.holder,
                                                   .track = &snapshot_control.tracks[guest],
                                                   .diff = diff,
                                                   .packed = zstd};
    folder_open(&snapshot_control.save.folder, folder, &files, &snapshot_control.save.stop);
    (void)vm_pause(snapshot_control.save.vm, &snapshot_control.holder);
    return control_snapshot_again(request, out, error);
}
