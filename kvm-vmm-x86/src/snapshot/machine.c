/* machine.json; see machine.h. */
#include "snapshot/machine.h"

#include <stdio.h>
#include <string.h>

#include "abi/virtio_vsock.h"
#include "base/address.h"

static const char *const modes[] = {[MODE_REAL] = "real",
                                    [MODE_PROTECTED] = "protected",
                                    [MODE_LONG] = "long",
                                    [MODE_LINUX] = "linux"};
static const char *const buses[] = {
    [VIRTIO_BY_DEFAULT] = "default", [VIRTIO_BY_MMIO] = "mmio", [VIRTIO_BY_PCI] = "pci"};
static const char *const policies[] = {
    [MMIO_DEFAULT] = "default", [MMIO_STOP] = "stop", [MMIO_IGNORE] = "ignore"};

static const char *const entries[] = {[KERNEL_ENTRY_AUTO] = "auto",
                                      [KERNEL_ENTRY_PVH] = "pvh",
                                      [KERNEL_ENTRY_64] = "64",
                                      [KERNEL_ENTRY_32] = "32"};

enum {
    MODES = sizeof modes / sizeof modes[0],
    BUSES = sizeof buses / sizeof buses[0],
    POLICIES = sizeof policies / sizeof policies[0],
    ENTRIES = sizeof entries / sizeof entries[0]
};

#define MEMORY_MAX (64 * GIB)

static void write_file(struct json_out *out, const char *name, const struct snapshot_file *file)
{
    json_open(out, name, '{');
    json_number(out, "size", file->size);
    json_number(out, "sum", file->sum);
    json_close(out, '}');
}

static void write_texts(struct json_out *out, const char *name, const char *const *texts,
                        unsigned count)
{
    json_open(out, name, '[');
    for (unsigned i = 0; i < count; i++)
        json_string(out, NULL, texts[i]);
    json_close(out, ']');
}

static void write_disks(struct json_out *out, const struct snapshot_machine *m)
{
    json_open(out, "disks", '[');
    for (unsigned i = 0; i < m->config.disk_count; i++) {
        const struct disk_config *config = &m->config.disks[i];
        const struct snapshot_disk *disk = &m->disks[i];

        json_open(out, NULL, '{');
        json_bytes(out, "path", config->path, config->path_length);
        json_string(out, "id", config->id);
        json_number(out, "block_size", config->block_size);
        json_bool(out, "read_only", config->read_only);
        json_bool(out, "has_overlay", config->overlay);
        json_number(out, "size", disk->size);
        json_number(out, "changed", disk->changed);
        json_number(out, "sample", disk->sample);
        write_file(out, "overlay", &disk->overlay);
        write_file(out, "map", &disk->map);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void snapshot_machine_write(const struct snapshot_machine *m, struct json_out *out)
{
    const struct guest_config *c = &m->config;

    json_open(out, NULL, '{');
    json_number(out, "format", SNAPSHOT_FORMAT);
    json_string(out, "vmm", m->vmm);
    json_number(out, "taken", m->taken);
    json_string(out, "image", c->image);
    json_string(out, "mode", modes[m->mode]);
    json_string(out, "asked_mode", c->mode == MODE_BY_CONTENT ? "" : modes[c->mode]);
    json_bool(out, "paging", m->paging);
    json_bool(out, "no_paging", c->no_paging);
    json_string(out, "kernel_entry", entries[c->kernel_entry]);
    if (c->has_load)
        json_number(out, "load", c->load);
    if (c->has_entry)
        json_number(out, "entry", c->entry);
    json_number(out, "base", m->base);
    json_number(out, "memory", c->memory);
    json_number(out, "vcpus", c->cpus);
    json_string(out, "mmio", policies[c->mmio]);
    if (c->append != NULL)
        json_string(out, "append", c->append);
    write_texts(out, "initrds", c->initrds, c->initrd_count);
    write_texts(out, "fw_files", c->fw_files, c->fw_file_count);
    json_string(out, "virtio", buses[c->virtio]);
    json_bool(out, "testdev", c->testdev);
    json_bool(out, "rng", c->rng);
    json_bool(out, "balloon", c->balloon);
    json_bool(out, "pvpanic", c->pvpanic);
    json_number(out, "watchdog", c->watchdog);
    if (c->vsock.cid != 0) {
        json_number(out, "vsock_cid", c->vsock.cid);
        json_string(out, "vsock_path", c->vsock.path);
    }
    write_disks(out, m);
    write_file(out, "state", &m->state);
    write_file(out, "ram", &m->ram);
    json_close(out, '}');
}

/* --- reading --- */

struct reader {
    struct json json;
    const char *missing; /* the first member that was not there or not as it should be */
};

static void miss(struct reader *r, const char *name)
{
    if (r->missing == NULL)
        r->missing = name;
}

static uint64_t number(struct reader *r, const struct json_value *object, const char *name,
                       uint64_t limit)
{
    uint64_t value = 0;

    if (!json_get_number(&r->json, object, name, &value) || value > limit)
        miss(r, name);
    return value <= limit ? value : 0;
}

static const char *text(struct reader *r, const struct json_value *object, const char *name)
{
    const char *value = "";

    if (!json_get_string(&r->json, object, name, &value))
        miss(r, name);
    return value;
}

static bool truth(struct reader *r, const struct json_value *object, const char *name)
{
    bool value = false;

    if (!json_get_bool(&r->json, object, name, &value))
        miss(r, name);
    return value;
}

static unsigned word(struct reader *r, const char *name, const char *const *words, unsigned count)
{
    const char *value = text(r, r->json.values, name);

    for (unsigned i = 0; i < count; i++)
        if (words[i] != NULL && strcmp(words[i], value) == 0)
            return i;
    miss(r, name);
    return 0;
}

static struct snapshot_file file(struct reader *r, const struct json_value *object,
                                 const char *name)
{
    const struct json_value *v = json_member(&r->json, object, name);

    if (v == NULL) {
        miss(r, name);
        return (struct snapshot_file){0};
    }
    return (struct snapshot_file){.size = number(r, v, "size", UINT64_MAX >> 1),
                                  .sum = (uint32_t)number(r, v, "sum", UINT32_MAX)};
}

static unsigned texts(struct reader *r, const char *name, const char **texts, unsigned room)
{
    const struct json_value *list = json_member(&r->json, r->json.values, name), *v;
    unsigned count = 0;

    if (list == NULL || list->kind != JSON_ARRAY || list->number > room) {
        miss(r, name);
        return 0;
    }
    while ((v = json_element(&r->json, list, count)) != NULL) {
        if (v->kind != JSON_STRING)
            miss(r, name);
        texts[count++] = v->kind == JSON_STRING ? v->text : "";
    }
    return count;
}

static void read_disk(struct reader *r, const struct json_value *v, struct disk_config *config,
                      struct snapshot_disk *disk)
{
    const char *id = text(r, v, "id");

    if (strlen(id) >= sizeof config->id)
        miss(r, "id");
    else
        strcpy(config->id, id);
    config->path = text(r, v, "path");
    config->path_length = strlen(config->path);
    config->block_size = (uint32_t)number(r, v, "block_size", 4096);
    if ((config->block_size & (config->block_size - 1)) != 0 ||
        (config->block_size > 0 && config->block_size < 512) || config->path_length == 0)
        miss(r, "block_size");
    config->read_only = truth(r, v, "read_only");
    config->overlay = truth(r, v, "has_overlay");
    if (config->read_only && config->overlay)
        miss(r, "has_overlay");
    disk->size = number(r, v, "size", UINT64_MAX >> 1);
    disk->changed = number(r, v, "changed", UINT64_MAX);
    disk->sample = (uint32_t)number(r, v, "sample", UINT32_MAX);
    disk->overlay = file(r, v, "overlay");
    disk->map = file(r, v, "map");
}

static void read_disks(struct reader *r, struct snapshot_machine *m)
{
    const struct json_value *list = json_member(&r->json, r->json.values, "disks"), *v;

    if (list == NULL || list->kind != JSON_ARRAY || list->number > DISKS_MAX) {
        miss(r, "disks");
        return;
    }
    while ((v = json_element(&r->json, list, m->config.disk_count)) != NULL) {
        read_disk(r, v, &m->config.disks[m->config.disk_count], &m->disks[m->config.disk_count]);
        m->config.disk_count++;
    }
}

/* What this machine can be: real mode has one vCPU in the first megabyte, and memory is whole pages
 * in a file of that size. */
static void check(struct reader *r, const struct snapshot_machine *m)
{
    const struct guest_config *c = &m->config;

    if (c->memory == 0 || c->memory % PAGE_SIZE != 0 || c->memory != m->ram.size)
        miss(r, "memory");
    if (c->cpus == 0 || (m->mode == MODE_REAL && c->cpus != 1))
        miss(r, "vcpus");
    if (m->base % PAGE_SIZE != 0 || (m->mode != MODE_REAL && m->base != 0) ||
        (m->mode == MODE_REAL && (m->base >= MIB || c->memory > MIB)))
        miss(r, "base");
    for (unsigned i = 0; i < c->fw_file_count; i++) {
        const char *mark = strchr(c->fw_files[i], '=');

        if (mark == NULL || mark == c->fw_files[i] || mark - c->fw_files[i] > FW_NAME_MAX)
            miss(r, "fw_files");
    }
}

/* How its image is started: that counts where it resets its machine. */
static void read_start(struct reader *r, struct guest_config *c)
{
    const struct json_value *whole = r->json.values;

    c->no_paging = truth(r, whole, "no_paging");
    c->kernel_entry = (enum kernel_entry)word(r, "kernel_entry", entries, ENTRIES);
    c->has_load = json_member(&r->json, whole, "load") != NULL;
    c->has_entry = json_member(&r->json, whole, "entry") != NULL;
    if (c->has_load)
        c->load = number(r, whole, "load", UINT64_MAX);
    if (c->has_entry)
        c->entry = number(r, whole, "entry", UINT64_MAX);
}

int snapshot_machine_read(struct snapshot_machine *m, char *bytes, size_t length,
                          struct error *error)
{
    static struct reader r;
    const struct json_value *whole = r.json.values;
    uint64_t format;

    r.missing = NULL;
    *m = (struct snapshot_machine){0};
    if (json_parse(&r.json, bytes, length, error) < 0)
        return -1;
    m->vmm = text(&r, whole, "vmm");
    if (json_get_number(&r.json, whole, "format", &format) && format != SNAPSHOT_FORMAT)
        return error_set(error,
                         "format %llu, written by kvm-vmm %.40s; this one reads only format %d",
                         (unsigned long long)format, m->vmm, SNAPSHOT_FORMAT);
    (void)number(&r, whole, "format", SNAPSHOT_FORMAT);
    m->taken = number(&r, whole, "taken", UINT64_MAX);
    m->config.image = text(&r, whole, "image");
    m->mode = (enum guest_mode)word(&r, "mode", modes, MODES);
    if (text(&r, whole, "asked_mode")[0] != '\0')
        m->config.mode = (enum guest_mode)word(&r, "asked_mode", modes, MODES);
    m->paging = truth(&r, whole, "paging");
    read_start(&r, &m->config);
    m->base = number(&r, whole, "base", UINT64_MAX);
    m->config.memory = number(&r, whole, "memory", MEMORY_MAX);
    m->config.cpus = (unsigned)number(&r, whole, "vcpus", CPUS_MAX);
    m->config.mmio = (enum mmio_policy)word(&r, "mmio", policies, POLICIES);
    if (json_member(&r.json, whole, "append") != NULL)
        m->config.append = text(&r, whole, "append");
    m->config.initrd_count = texts(&r, "initrds", m->config.initrds, INITRDS_MAX);
    m->config.fw_file_count = texts(&r, "fw_files", m->config.fw_files, FW_FILES_MAX);
    if (json_member(&r.json, whole, "virtio") != NULL) /* older ones have no such choice */
        m->config.virtio = (enum virtio_bus)word(&r, "virtio", buses, BUSES);
    m->config.testdev = truth(&r, whole, "testdev");
    m->config.rng = truth(&r, whole, "rng");
    m->config.balloon = truth(&r, whole, "balloon");
    m->config.pvpanic = truth(&r, whole, "pvpanic");
    if (json_member(&r.json, whole, "vsock_cid") != NULL) {
        m->config.vsock.cid = number(&r, whole, "vsock_cid", VIRTIO_VSOCK_CID_MAX);
        m->config.vsock.path = text(&r, whole, "vsock_path");
    }
    m->config.watchdog = (enum watchdog_action)number(&r, whole, "watchdog", WATCHDOG_STOP);
    read_disks(&r, m);
    m->state = file(&r, whole, "state");
    m->ram = file(&r, whole, "ram");
    check(&r, m);
    return r.missing == NULL
               ? 0
               : error_set(error, "\"%s\" is missing or has an impossible value", r.missing);
}
