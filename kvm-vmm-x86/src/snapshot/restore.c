/* Opens snapshots; see restore.h. */
#include "snapshot/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/server.h"
#include "host/disk/disk.h"
#include "host/files/folder_read.h"

int snapshot_same_sum(const char *folder, const char *name, const struct snapshot_file *file,
                      uint32_t sum, struct error *error)
{
    return sum == file->sum ? 0
                            : error_set(error, "%s/%s is damaged: its checksum is %08x, not %08x",
                                        folder, name, sum, file->sum);
}

/* The bytes of PATH/NAME, with one more byte behind them, if size and checksum are those of `file`.
 */
static char *read_file(const char *path, const char *name, const struct snapshot_file *file,
                       uint64_t limit, size_t *size, struct error *error)
{
    char *bytes = folder_read(path, name, limit, size, error);

    if (bytes == NULL)
        return NULL;
    if (*size != file->size)
        error_set(error, "%s/%s: not a file of %llu bytes", path, name,
                  (unsigned long long)file->size);
    else if (snapshot_same_sum(path, name, file, folder_sum_bytes(bytes, *size), error) == 0)
        return bytes;
    free(bytes);
    return NULL;
}

static int check_sum(const char *path, const char *name, const struct snapshot_file *file,
                     struct error *error)
{
    uint32_t sum;

    if (folder_sum(path, name, file->size, &sum, error) < 0)
        return -1;
    return snapshot_same_sum(path, name, file, sum, error);
}

/* The checksum of machine.json, from the file beside it. */
static int read_sum(const char *path, uint32_t *sum, struct error *error)
{
    size_t size;
    char *line = folder_read(path, "sum", 64, &size, error), *end;

    if (line == NULL)
        return -1;
    line[size] = '\0';
    *sum = (uint32_t)strtoul(line, &end, 16);
    if (end != line + 8 || strcmp(end, "  machine.json\n") != 0) {
        free(line);
        return error_set(error, "%s/sum is damaged", path);
    }
    free(line);
    return 0;
}

/* Even if it returns -1, *text is set if the file was read. */
static int read_machine(struct snapshot_machine *m, char **text, struct snapshot_file *file,
                        const char *path, struct error *error)
{
    size_t size;
    struct error why;
    uint32_t sum;

    *text = NULL;
    if (read_sum(path, &file->sum, error) < 0)
        return -1;
    *text = folder_read(path, "machine.json", SNAPSHOT_JSON_MAX, &size, error);
    if (*text == NULL)
        return -1;
    sum = folder_sum_bytes(*text, size); /* before parsing, which changes it */
    file->size = size;
    /* The format is checked first: another format may have another kind of checksum, and is not
     * damaged. */
    if (snapshot_machine_read(m, *text, size, &why) < 0)
        return error_set(error, "%s/machine.json: %s", path, why.text);
    return snapshot_same_sum(path, "machine.json", file, sum, error);
}

/* --- the folders below --- */

int snapshot_check_base(const char *folder, uint32_t expected, struct error *error)
{
    uint32_t sum;

    if (read_sum(folder, &sum, error) < 0)
        return -1;
    return sum == expected ? 0
                           : error_set(error,
                                       "%s was replaced by another snapshot: its checksum is "
                                       "%08x, not %08x",
                                       folder, sum, expected);
}

/* The folder with base's name beside `path`, for snapshots that were moved together. */
static bool beside(char found[FOLDER_PATH_MAX], const char *path, const char *base)
{
    const char *mark = strrchr(path, '/'), *name = strrchr(base, '/');

    return snprintf(found, FOLDER_PATH_MAX, "%.*s%s", (int)(mark - path), path, name) <
           FOLDER_PATH_MAX;
}

/* Finds the base: the folder beside this one if it is the right one, otherwise at its old path. */
static int find_base(char found[FOLDER_PATH_MAX], const char *path,
                     const struct snapshot_base *base, struct error *error)
{
    struct error why;

    if (beside(found, path, base->folder) && snapshot_check_base(found, base->sum, &why) == 0)
        return 0;
    if (snprintf(found, FOLDER_PATH_MAX, "%s", base->folder) >= FOLDER_PATH_MAX)
        return error_set(error, "%s: the path of its base is too long", path);
    return snapshot_check_base(found, base->sum, &why) == 0
               ? 0
               : error_set(error, "%s keeps only what differs from %s: %s", path, base->folder,
                           why.text);
}

/* Adds the layer of RAM in a folder. The map is small: 2 MB for 64 GB. */
static int add_layer(struct snapshot_folder *s, const char *folder,
                     const struct snapshot_machine *m, struct error *error)
{
    struct snapshot_layer *layer = &s->below[s->layer_count++];
    size_t size;

    *layer = (struct snapshot_layer){.sum = m->ram, .packed = m->packed};
    snprintf(layer->folder, sizeof layer->folder, "%s", folder);
    if (!folder_join(layer->ram, folder, m->packed ? "ram.zst" : "ram"))
        return error_set(error, "%s: the path is too long", folder);
    if (m->below.folder == NULL)
        return 0;
    layer->pages = (uint64_t *)(void *)read_file(folder, "ram.map", &m->ram_map, m->ram_map.size,
                                                 &size, error);
    return layer->pages != NULL ? 0 : -1;
}

static bool is_same_memory(const struct snapshot_machine *a, const struct snapshot_machine *b)
{
    return a->base == b->base && a->config.memory == b->config.memory && a->rom == b->rom;
}

static int add_base(struct snapshot_folder *s, const struct snapshot_base *below,
                    struct snapshot_machine *m, char **text, struct error *error)
{
    const char *above = s->below[s->layer_count - 1].folder;
    struct snapshot_file file = {0};
    char folder[FOLDER_PATH_MAX];

    if (s->layer_count == SNAPSHOT_LAYERS_MAX)
        return error_set(error, "%s is based on more than %d other snapshots", s->folder,
                         SNAPSHOT_LAYERS_MAX - 1);
    if (find_base(folder, above, below, error) < 0 ||
        read_machine(m, text, &file, folder, error) < 0)
        return -1;
    if (file.sum != below->sum || !is_same_memory(m, &s->machine))
        return error_set(error, "%s is not the snapshot that %s is based on", folder, above);
    return add_layer(s, folder, m, error);
}

/* Finds all layers, down to the one with all pages; then reverses the list, so that the lowest
 * layer is first. */
static int find_layers(struct snapshot_folder *s, struct error *error)
{
    struct snapshot_machine *m = calloc(1, sizeof *m);
    struct snapshot_base below = s->machine.below;
    unsigned room = below.folder != NULL ? SNAPSHOT_LAYERS_MAX : 1;
    char *text = NULL, *former = NULL;
    int result = -1;

    s->below = calloc(room, sizeof *s->below);
    s->layers = calloc(room, sizeof *s->layers);
    if (m == NULL || s->below == NULL || s->layers == NULL)
        error_set(error, "out of memory");
    else
        result = add_layer(s, s->folder, &s->machine, error);
    while (result == 0 && below.folder != NULL) {
        result = add_base(s, &below, m, &text, error);
        below = m->below; /* its strings are in `text` */
        free(former);
        former = text;
        text = NULL;
    }
    free(former);
    free(m);
    for (unsigned i = 0; i < s->layer_count / 2; i++) {
        struct snapshot_layer kept = s->below[i];

        s->below[i] = s->below[s->layer_count - 1 - i];
        s->below[s->layer_count - 1 - i] = kept;
    }
    for (unsigned i = 0; i < s->layer_count; i++)
        s->layers[i] = (struct saved_layer){
            .ram = s->below[i].ram, .packed = s->below[i].packed, .pages = s->below[i].pages};
    return result;
}

/* Reads the contents of the guest's fw_cfg; the file is empty if there was nothing. */
static int read_firmware(struct snapshot_folder *s, const char *path, struct error *error)
{
    const struct snapshot_file *file = &s->machine.firmware;
    size_t size;

    s->firmware = (uint8_t *)read_file(path, "firmware", file, SNAPSHOT_FIRMWARE_MAX, &size, error);
    if (s->firmware == NULL)
        return -1;
    s->saved.firmware = size > 0 ? s->firmware : NULL;
    s->saved.firmware_size = size;
    return 0;
}

int snapshot_open(struct snapshot_folder *snapshot, const char *path, struct error *error)
{
    struct snapshot_machine *m = &snapshot->machine;
    struct snapshot_file file = {0};
    size_t size = 0;

    *snapshot = (struct snapshot_folder){0};
    if (folder_real_path(snapshot->folder, path, strlen(path), error) < 0)
        return -1;
    if (read_machine(m, &snapshot->text, &file, path, error) < 0 ||
        (snapshot->state = (uint8_t *)read_file(path, "state", &m->state, SNAPSHOT_STATE_MAX, &size,
                                                error)) == NULL ||
        find_layers(snapshot, error) < 0) {
        snapshot_close(snapshot);
        return -1;
    }
    snapshot->saved = (struct saved_guest){.folder = snapshot->folder,
                                           .layers = snapshot->layers,
                                           .layer_count = snapshot->layer_count,
                                           .mode = m->mode,
                                           .paging = m->paging,
                                           .base = m->base,
                                           .state = snapshot->state,
                                           .state_size = size,
                                           .rom = m->rom};
    if (read_firmware(snapshot, path, error) == 0)
        return 0;
    snapshot_close(snapshot);
    return -1;
}

void snapshot_close(struct snapshot_folder *snapshot)
{
    for (unsigned i = 0; i < snapshot->layer_count; i++)
        free(snapshot->below[i].pages);
    free(snapshot->below);
    free(snapshot->layers);
    free(snapshot->text);
    free(snapshot->state);
    free(snapshot->firmware);
    *snapshot = (struct snapshot_folder){0};
}

/* The run may connect ports elsewhere, by name; the guest determines which ports there are. */
static int configure_ports(struct guest_config *config, const struct guest_config *run,
                           struct error *error)
{
    for (unsigned i = 0; i < run->port_count; i++) {
        const struct port_config *to = &run->ports[i];
        unsigned at = 0;

        while (at < config->port_count &&
               (config->ports[at].name_length != to->name_length ||
                (to->name_length > 0 &&
                 memcmp(config->ports[at].name, to->name, to->name_length) != 0)))
            at++;
        if (at == config->port_count)
            return error_set(error, "--restore: the saved guest has no %s \"%.*s\"",
                             to->name_length > 0 ? "--port" : "--console", (int)to->name_length,
                             to->name_length > 0 ? to->name : "");
        config->ports[at].kind = to->kind;
        config->ports[at].path = to->path;
    }
    return 0;
}

/* The run may connect network cards elsewhere, in order; their MAC addresses stay the guest's. */
static int configure_nets(struct guest_config *config, const struct guest_config *run,
                          struct error *error)
{
    if (run->net_count > 0 && run->net_count != config->net_count)
        return error_set(error, "--restore: the saved guest has %u cards (--net), not %u",
                         config->net_count, run->net_count);
    for (unsigned i = 0; i < run->net_count; i++) {
        struct net_config net = run->nets[i];

        memcpy(net.mac, config->nets[i].mac, sizeof net.mac);
        net.mtu = config->nets[i].mtu;
        config->nets[i] = net;
    }
    return 0;
}

/* The run may replace shared folders, by tag. A read-only share stays read-only. */
static int configure_shares(struct guest_config *config, const struct guest_config *run,
                            struct error *error)
{
    for (unsigned i = 0; i < run->share_count; i++) {
        const struct share_config *to = &run->shares[i];
        unsigned at = 0;

        while (at < config->share_count && strcmp(config->shares[at].tag, to->tag) != 0)
            at++;
        if (at == config->share_count)
            return error_set(error, "--restore: the saved guest has no --share with the tag %s",
                             to->tag);
        config->shares[at].path = to->path;
        config->shares[at].path_length = to->path_length;
        config->shares[at].read_only |= to->read_only;
    }
    return 0;
}

/* Upper layers are read in full at start, so their sums cost little. zstd checks packed layers
 * itself. */
static int check_layers(const struct snapshot_folder *s, struct error *error)
{
    for (unsigned i = 1; i < s->layer_count; i++)
        if (!s->below[i].packed &&
            check_sum(s->below[i].folder, "ram", &s->below[i].sum, error) < 0)
            return -1;
    return 0;
}

int snapshot_configure(struct snapshot_folder *snapshot, struct guest_config *config,
                       struct error *error)
{
    struct guest_config run = *config;

    *config = snapshot->machine.config;
    config->saved = &snapshot->saved;
    config->no_ctrl_d = run.no_ctrl_d;
    config->serial = run.serial;
    config->serial_path = run.serial_path;
    config->debugcon = run.debugcon;
    config->text_screen = run.text_screen;
    config->debugged = run.debugged;
    config->reboot = run.reboot;
    config->max_exits = run.max_exits;
    config->kvm = run.kvm;
    if (configure_ports(config, &run, error) < 0 || configure_nets(config, &run, error) < 0 ||
        configure_shares(config, &run, error) < 0)
        return -1;
    return check_layers(snapshot, error);
}

static int fill_overlay(const struct snapshot_folder *s, unsigned i, struct disk *disk,
                        struct error *error)
{
    const struct snapshot_disk *saved = &s->machine.disks[i];
    struct disk_overlay overlay;
    char name[FOLDER_NAME_MAX], map_name[FOLDER_NAME_MAX];
    char *map;
    size_t size;

    if (!disk_overlay(disk, &overlay))
        return 0;
    snprintf(name, sizeof name, "disk%u", i);
    snprintf(map_name, sizeof map_name, "disk%u.map", i);
    if (saved->map.size != overlay.map_size)
        return error_set(error, "%s/%s: its size does not match the disk", s->folder, map_name);
    map = read_file(s->folder, map_name, &saved->map, overlay.map_size, &size, error);
    if (map == NULL)
        return -1;
    memcpy(overlay.map, map, size);
    free(map);
    return folder_copy(s->folder, name, overlay.fd, error);
}

int snapshot_restore_disks(const struct snapshot_folder *snapshot,
                           const struct guest_config *config, struct error *error)
{
    for (unsigned i = 0; i < config->disk_count; i++) {
        const struct snapshot_disk *saved = &snapshot->machine.disks[i];
        struct disk *disk = config->disks[i].open;
        uint32_t sample;

        if (disk->size != saved->size)
            return error_set(error,
                             "disk %u, %s, has %llu bytes; when the guest was saved it had %llu", i,
                             config->disks[i].path, (unsigned long long)disk->size,
                             (unsigned long long)saved->size);
        if (saved->changed != 0 && disk_changed(disk) != saved->changed)
            return error_set(error,
                             "disk %u, %s, was changed after the guest was saved, so the guest's "
                             "memory does not match it (,overlay leaves the file unchanged)",
                             i, config->disks[i].path);
        if (disk_sample(disk, &sample, error) < 0)
            return -1;
        if (sample != saved->sample)
            return error_set(error,
                             "disk %u, %s, is not the one that the guest was saved with: it has "
                             "other contents",
                             i, config->disks[i].path);
        if (fill_overlay(snapshot, i, disk, error) < 0)
            return -1;
    }
    return 0;
}

static int restore_share(const struct snapshot_folder *s, unsigned i, struct fuse_server *server,
                         unsigned *lost, struct error *error)
{
    struct error why;
    char name[FOLDER_NAME_MAX];
    uint8_t *bytes;
    size_t size;
    int result;

    snprintf(name, sizeof name, "share%u", i);
    bytes = (uint8_t *)read_file(s->folder, name, &s->machine.shares[i], SNAPSHOT_SHARE_MAX, &size,
                                 error);
    if (bytes == NULL)
        return -1;
    result = fuse_server_load(server, bytes, size, lost, &why);
    if (result < 0)
        error_set(error, "%s/%s: %s", s->folder, name, why.text);
    free(bytes);
    return result;
}

int snapshot_restore_shares(const struct snapshot_folder *snapshot,
                            const struct guest_config *config, unsigned lost[SHARES_MAX],
                            struct error *error)
{
    for (unsigned i = 0; i < config->share_count; i++)
        if (restore_share(snapshot, i, config->shares[i].open, &lost[i], error) < 0)
            return -1;
    return 0;
}
