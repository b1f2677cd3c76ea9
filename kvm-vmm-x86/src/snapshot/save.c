/* Takes snapshots; see save.h. */
#include "snapshot/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "fuse/server.h"
#include "host/clock.h"
#include "host/disk/disk.h"
#include "host/events.h"
#include "host/files/files.h"
#include "snapshot/machine.h"
#include "vm/guest_files.h"
#include "vm/state.h"

/* Storage for the paths in the description of the machine. */
struct paths {
    char image[FOLDER_PATH_MAX], initrds[INITRDS_MAX][FOLDER_PATH_MAX],
        disks[DISKS_MAX][FOLDER_PATH_MAX],
        fw_files[FW_FILES_MAX][FOLDER_PATH_MAX + FW_NAME_MAX + 1], kernel[FOLDER_PATH_MAX],
        ports[PORTS_MAX][FOLDER_PATH_MAX], nets[NETS_MAX][FOLDER_PATH_MAX],
        shares[SHARES_MAX][FOLDER_PATH_MAX];
};

_Static_assert(2 * DISKS_MAX + SHARES_MAX + 7 <= FOLDER_FILES_MAX,
               "a snapshot's files have no room");

void snapshot_files(struct folder_files *files)
{
    static const char *const always[] = {"state",   "firmware",     "ram", "ram.zst",
                                         "ram.map", "machine.json", "sum"};

    *files = (struct folder_files){.count = 0};
    for (unsigned i = 0; i < sizeof always / sizeof always[0]; i++)
        snprintf(files->names[files->count++], FOLDER_NAME_MAX, "%s", always[i]);
    for (unsigned i = 0; i < DISKS_MAX; i++) {
        snprintf(files->names[files->count++], FOLDER_NAME_MAX, "disk%u", i);
        snprintf(files->names[files->count++], FOLDER_NAME_MAX, "disk%u.map", i);
    }
    for (unsigned i = 0; i < SHARES_MAX; i++)
        snprintf(files->names[files->count++], FOLDER_NAME_MAX, "share%u", i);
}

int snapshot_save_check(const struct vm *vm, struct error *error)
{
    if (vm->config->debugged)
        return error_set(error, "a guest with a debugger (--gdb) cannot be saved: its breakpoints "
                                "may be in memory");
    if (vm->own_irqchip)
        return error_set(error, "a guest with --irqchip vmm cannot be saved");
    if (vm->config->image_bytes != NULL)
        return error_set(
            error, "a guest whose image is not a file cannot be saved (kvm-vmm run, the library)");
    return 0;
}

/* An absolute path, so that the snapshot can be used from any folder. The name of a file that does
 * not exist any more stays as it was: it is needed only if the guest restarts. */
static const char *place(char full[FOLDER_PATH_MAX], const char *path, size_t length)
{
    struct error ignored;

    if (folder_real_path(full, path, length, &ignored) < 0)
        snprintf(full, FOLDER_PATH_MAX, "%.*s", (int)length, path);
    return full;
}

/* FILE or FILE=NAME. */
static const char *place_initrd(char full[FOLDER_PATH_MAX], const char *what)
{
    const char *mark = guest_files_initrd_mark(what);
    size_t used;

    if (mark == NULL)
        return place(full, what, strlen(what));
    (void)place(full, what, (size_t)(mark - what));
    used = strlen(full);
    snprintf(full + used, FOLDER_PATH_MAX - used, "%s", mark);
    return full;
}

static void describe(const struct vm *vm, struct snapshot_machine *m, struct paths *paths)
{
    struct guest_config *c = &m->config;

    *m = (struct snapshot_machine){.vmm = VMM_VERSION,
                                   .taken = clock_wall(),
                                   .config = *vm->config,
                                   .mode = vm->mode,
                                   .paging = vm->paging,
                                   .base = vm->memory.slots[0].base};
    c->memory = vm->ram_size;
    c->cpus = vm->vcpu_count;
    c->image = place(paths->image, c->image, strlen(c->image));
    if (c->kernel != NULL)
        c->kernel = place(paths->kernel, c->kernel, strlen(c->kernel));
    for (unsigned i = 0; i < c->port_count; i++)
        if (c->ports[i].kind == SERIAL_FILE || c->ports[i].kind == SERIAL_UNIX)
            c->ports[i].path = place(paths->ports[i], c->ports[i].path, strlen(c->ports[i].path));
    for (unsigned i = 0; i < c->net_count; i++) {
        struct net_config *net = &c->nets[i];

        memcpy(net->mac, net->open->mac, sizeof net->mac);
        if (net->kind == NET_PASST) {
            net->name = place(paths->nets[i], net->name, net->name_length);
            net->name_length = strlen(net->name);
        }
    }
    for (unsigned i = 0; i < c->share_count; i++) {
        c->shares[i].path = place(paths->shares[i], c->shares[i].path, c->shares[i].path_length);
        c->shares[i].path_length = strlen(c->shares[i].path);
    }
    for (unsigned i = 0; i < c->initrd_count; i++)
        c->initrds[i] = place_initrd(paths->initrds[i], c->initrds[i]);
    for (unsigned i = 0; i < c->fw_file_count; i++) {
        const char *file = strchr(c->fw_files[i], '=') + 1;
        char full[FOLDER_PATH_MAX];

        snprintf(paths->fw_files[i], sizeof paths->fw_files[i], "%.*s%s",
                 (int)(file - c->fw_files[i]), c->fw_files[i], place(full, file, strlen(file)));
        c->fw_files[i] = paths->fw_files[i];
    }
    for (unsigned i = 0; i < c->disk_count; i++) {
        struct disk_config *disk = &c->disks[i];

        disk->path = place(paths->disks[i], disk->path, disk->path_length);
        disk->path_length = strlen(disk->path);
        m->disks[i].size = disk->open->size;
        m->disks[i].changed = disk_changed(disk->open);
    }
}

static int put_disk(struct folder *folder, unsigned i, struct disk *disk, struct snapshot_disk *to,
                    struct error *error)
{
    struct disk_overlay overlay;
    char name[FOLDER_NAME_MAX], map[FOLDER_NAME_MAX];

    if (disk_sample(disk, &to->sample, error) < 0)
        return -1;
    if (!disk_overlay(disk, &overlay))
        return 0;
    snprintf(name, sizeof name, "disk%u", i);
    snprintf(map, sizeof map, "disk%u.map", i);
    to->overlay.size = overlay.size;
    to->map.size = overlay.map_size;
    if (folder_put_file(folder, name, overlay.fd, overlay.size, &to->overlay.sum, error) < 0)
        return -1;
    return folder_put(folder, map, overlay.map, overlay.map_size, &to->map.sum, error);
}

static int put_share(struct folder *folder, unsigned i, struct fuse_server *server,
                     struct snapshot_file *file, struct error *error)
{
    char name[FOLDER_NAME_MAX];
    uint8_t *bytes = fuse_server_save(server, &file->size);
    int result;

    if (bytes == NULL)
        return error_set(error, "out of memory");
    snprintf(name, sizeof name, "share%u", i);
    result = folder_put(folder, name, bytes, file->size, &file->sum, error);
    free(bytes);
    return result;
}

static int put_state(struct snapshot_save *save, struct folder *folder, struct snapshot_file *file,
                     struct error *error)
{
    size_t room = vm_state_size(save->vm->vcpu_count);
    struct chunk_writer writer = {.bytes = malloc(room), .room = room};
    int result = -1;

    if (writer.bytes == NULL)
        error_set(error, "out of memory");
    else if (vm_save(save->vm, &writer, error) == 0)
        result = folder_put(folder, "state", writer.bytes, writer.used, &file->sum, error);
    file->size = writer.used;
    free(writer.bytes);
    return result;
}

/* Writes the contents of the guest's fw_cfg. */
static int put_firmware(struct vm *vm, struct folder *folder, struct snapshot_file *file,
                        struct error *error)
{
    size_t room = firmware_size(vm);
    struct chunk_writer writer = {.bytes = malloc(room + 1), .room = room};
    int result = -1;

    if (writer.bytes == NULL)
        return error_set(error, "out of memory");
    firmware_save(vm, &writer);
    if (writer.full)
        error_set(error, "the files of firmware and --fw-cfg are too large");
    else
        result = folder_put(folder, "firmware", writer.bytes, writer.used, &file->sum, error);
    file->size = writer.used;
    free(writer.bytes);
    return result;
}

/* Writes the map of pages of a snapshot that is based on another. */
static int put_map(struct snapshot_save *save, struct folder *folder, struct snapshot_machine *m,
                   struct error *error)
{
    uint64_t *map;
    int result;

    m->below = (struct snapshot_base){.folder = save->base, .sum = save->base_sum};
    m->ram_map.size = snapshot_map_size(m->ram.size);
    map = malloc(m->ram_map.size);
    if (map == NULL)
        return error_set(error, "out of memory");
    snapshot_track_map(save->track, &save->vm->memory, map);
    result = folder_put(folder, "ram.map", map, m->ram_map.size, &m->ram_map.sum, error);
    free(map);
    return result;
}

/* The first --diff writes all pages and starts the log. A page leaves the log when a snapshot that
 * has it is complete. */
static int put_ram(struct snapshot_save *save, struct folder *folder, struct snapshot_machine *m,
                   struct error *error)
{
    struct vm *vm = save->vm;
    struct snapshot_track *track = save->track;
    struct folder_memory from = {.memory = &vm->memory, .packed = save->packed};

    m->packed = save->packed;
    m->ram.size = memory_bytes(&vm->memory);
    m->rom = m->ram.size - vm->ram_size;
    save->base[0] = '\0';
    if (save->diff && !track->on && snapshot_track_begin(track, vm, error) < 0)
        return -1;
    if (track->on && snapshot_track_look(track, vm, error) < 0)
        return -1;
    if (save->diff && track->last.folder[0] != '\0') {
        if (track->last.layers >= SNAPSHOT_LAYERS_MAX)
            return error_set(
                error,
                "%s is based on %d other snapshots, the maximum: take a snapshot without --diff",
                track->last.folder, SNAPSHOT_LAYERS_MAX - 1);
        strcpy(save->base, track->last.folder);
        save->base_sum = track->last.sum;
        save->pages = snapshot_track_count(track, &vm->memory);
        from.logs = track->pages;
        if (put_map(save, folder, m, error) < 0)
            return -1;
    }
    return folder_put_memory(folder, save->packed ? "ram.zst" : "ram", &from, &m->ram.sum, error);
}

/* machine.json is written last, with the sums of the others; its own is in `sum`. */
static int put_machine(struct folder *folder, const struct snapshot_machine *m, uint32_t *sum,
                       struct error *error)
{
    static char text[SNAPSHOT_JSON_MAX], line[32]; /* one snapshot is taken at a time */
    struct json_out out = json_out(text, sizeof text - 1);
    uint32_t ignored;
    int n;

    snapshot_machine_write(m, &out);
    if (out.full)
        return error_set(error, "its description takes more than %d bytes", SNAPSHOT_JSON_MAX);
    text[out.used++] = '\n';
    if (folder_put(folder, "machine.json", text, out.used, sum, error) < 0)
        return -1;
    n = snprintf(line, sizeof line, "%08x  machine.json\n", *sum);
    return folder_put(folder, "sum", line, (size_t)n, &ignored, error);
}

static int put_all(struct snapshot_save *save, struct folder *folder, struct error *error)
{
    static struct paths paths;
    static struct snapshot_machine m;
    struct vm *vm = save->vm;

    describe(vm, &m, &paths);
    if (put_state(save, folder, &m.state, error) < 0)
        return -1;
    if (put_firmware(vm, folder, &m.firmware, error) < 0)
        return -1;
    if (put_ram(save, folder, &m, error) < 0)
        return -1;
    for (unsigned i = 0; i < vm->config->disk_count; i++)
        if (put_disk(folder, i, vm->config->disks[i].open, &m.disks[i], error) < 0)
            return -1;
    for (unsigned i = 0; i < vm->config->share_count; i++)
        if (put_share(folder, i, vm->config->shares[i].open, &m.shares[i], error) < 0)
            return -1;
    if (put_machine(folder, &m, &save->sum, error) < 0)
        return -1;
    if (!vm_is_quiet(vm, save->holder))
        return error_set(error, "the guest ended while it was saved");
    if (save->track->on)
        snapshot_track_written(save->track, folder->path, save->sum, save->base[0] != '\0');
    return 0;
}

static void *run(void *argument)
{
    struct snapshot_save *save = argument;

    thread_name("guest%u/snapshot", save->vm->index);
    save->failed = put_all(save, &save->folder, &save->error) < 0;
    if (save->failed && __atomic_load_n(&save->stop, __ATOMIC_RELAXED))
        error_set(&save->error, "the guest ended while it was saved");
    folder_close_files(&save->folder.files);
    __atomic_store_n(&save->done, true, __ATOMIC_RELEASE); /* pairs with snapshot_save_take */
    events_wake();
    return NULL;
}

int snapshot_save_begin(struct snapshot_save *save, struct error *error)
{
    save->stop = save->done = save->failed = false;
    save->pending = thread_start(&save->thread, run, save, error) == 0;
    return save->pending ? 0 : -1;
}

int snapshot_save_take(struct snapshot_save *save, struct error *error)
{
    if (!__atomic_load_n(&save->done, __ATOMIC_ACQUIRE))
        return 0;
    thread_join(&save->thread);
    save->pending = false;
    *error = save->error;
    return save->failed ? -1 : 1;
}

bool snapshot_save_end(struct snapshot_save *save)
{
    struct error ignored;

    __atomic_store_n(&save->stop, true, __ATOMIC_RELAXED);
    return !save->pending || snapshot_save_take(save, &ignored) != 0;
}
