/* machine.json; see machine.h. */
#include "snapshot/machine.h"

#include <stdio.h>
#include <string.h>

#include "abi/virtio_vsock.h"
#include "base/address.h"

static const char *const modes[] = {[MODE_REAL] = "real",
                                    [MODE_PROTECTED] = "protected",
                                    [MODE_LONG] = "long",
                                    [MODE_LINUX] = "linux",
                                    [MODE_FIRMWARE] = "firmware"};
static const char *const buses[] = {
    [VIRTIO_BY_DEFAULT] = "default", [VIRTIO_BY_MMIO] = "mmio", [VIRTIO_BY_PCI] = "pci"};
static const char *const policies[] = {
    [MMIO_DEFAULT] = "default", [MMIO_STOP] = "stop", [MMIO_IGNORE] = "ignore"};

static const char *const entries[] = {[KERNEL_ENTRY_AUTO] = "auto",
                                      [KERNEL_ENTRY_PVH] = "pvh",
                                      [KERNEL_ENTRY_64] = "64",
                                      [KERNEL_ENTRY_32] = "32"};

static const char *const nets[] = {[NET_USER] = "user", [NET_PASST] = "passt", [NET_TAP] = "tap"};
/* A port that leads to what belongs to a program that runs is not saved. */
static const char *const links[] = {
    [SERIAL_STDIO] = "stdio", [SERIAL_PTY] = "pty", [SERIAL_FILE] = "file", [SERIAL_UNIX] = "unix"};

enum { NETS = sizeof nets / sizeof nets[0], LINKS = sizeof links / sizeof links[0] };
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

static void write_ports(struct json_out *out, const struct guest_config *c)
{
    json_open(out, "ports", '[');
    for (unsigned i = 0; i < c->port_count; i++) {
        const struct port_config *p = &c->ports[i];

        json_open(out, NULL, '{');
        json_bytes(out, "name", p->name_length > 0 ? p->name : "", p->name_length);
        json_string(out, "to", links[p->kind]);
        json_string(out, "path", p->path != NULL ? p->path : "");
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* A forwarded port as one number: what a description holds of values is limited. */
static void write_forwards(struct json_out *out, const struct net_config *n, bool udp)
{
    json_open(out, udp ? "udp" : "tcp", '[');
    for (unsigned i = 0; i < n->forward_count; i++) {
        const struct net_forward *f = &n->forwards[i];

        if (f->udp == udp)
            json_number(out, NULL,
                        (uint64_t)f->address << 32 | (uint32_t)f->host_port << 16 | f->guest_port);
    }
    json_close(out, ']');
}

static void write_nets(struct json_out *out, const struct guest_config *c)
{
    json_open(out, "nets", '[');
    for (unsigned i = 0; i < c->net_count; i++) {
        const struct net_config *n = &c->nets[i];
        uint64_t mac = 0;

        for (unsigned k = 0; k < sizeof n->mac; k++)
            mac = mac << 8 | n->mac[k];
        json_open(out, NULL, '{');
        json_string(out, "kind", nets[n->kind]);
        json_bytes(out, "name", n->name_length > 0 ? n->name : "", n->name_length);
        json_number(out, "mac", mac);
        json_number(out, "mtu", n->mtu);
        json_number(out, "dns", n->dns);
        write_forwards(out, n, false);
        write_forwards(out, n, true);
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
    json_bool(out, "bios", c->bios);
    if (c->kernel != NULL)
        json_string(out, "kernel", c->kernel);
    json_number(out, "rom", m->rom);
    write_disks(out, m);
    write_ports(out, c);
    write_nets(out, c);
    write_file(out, "firmware", &m->firmware);
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

static unsigned word(struct reader *r, const struct json_value *object, const char *name,
                     const char *const *words, unsigned count)
{
    const char *value = text(r, object, name);

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

/* The elements of a list that has `room` at the most. */
static const struct json_value *list_of(struct reader *r, const struct json_value *object,
                                        const char *name, unsigned room)
{
    const struct json_value *list = json_member(&r->json, object, name);

    if (list != NULL && list->kind == JSON_ARRAY && list->number <= room)
        return list;
    miss(r, name);
    return NULL;
}

static void read_ports(struct reader *r, struct guest_config *c)
{
    const struct json_value *list = list_of(r, r->json.values, "ports", PORTS_MAX), *v;

    while (list != NULL && (v = json_element(&r->json, list, c->port_count)) != NULL) {
        struct port_config *p = &c->ports[c->port_count++];

        p->name = text(r, v, "name");
        p->name_length = strlen(p->name);
        p->kind = (enum serial_kind)word(r, v, "to", links, LINKS);
        p->path = text(r, v, "path");
        if (p->name_length > PORT_NAME_MAX)
            miss(r, "name");
        if ((p->kind == SERIAL_FILE || p->kind == SERIAL_UNIX) && p->path[0] == '\0')
            miss(r, "path");
    }
}

static void read_forwards(struct reader *r, const struct json_value *v, struct net_config *n,
                          bool udp)
{
    const char *name = udp ? "udp" : "tcp";
    const struct json_value *list = list_of(r, v, name, FORWARDS_MAX), *one;

    for (unsigned i = 0; list != NULL && (one = json_element(&r->json, list, i)) != NULL; i++) {
        if (one->kind != JSON_NUMBER || n->forward_count == FORWARDS_MAX ||
            (one->number & 0xffff) == 0 || (one->number >> 16 & 0xffff) == 0) {
            miss(r, name);
            return;
        }
        n->forwards[n->forward_count++] =
            (struct net_forward){.udp = udp,
                                 .address = (uint32_t)(one->number >> 32),
                                 .host_port = (uint16_t)(one->number >> 16),
                                 .guest_port = (uint16_t)one->number};
    }
}

static void read_nets(struct reader *r, struct guest_config *c)
{
    const struct json_value *list = list_of(r, r->json.values, "nets", NETS_MAX), *v;

    while (list != NULL && (v = json_element(&r->json, list, c->net_count)) != NULL) {
        struct net_config *n = &c->nets[c->net_count++];
        uint64_t mac = number(r, v, "mac", (UINT64_C(1) << 48) - 1);

        n->kind = (enum net_kind)word(r, v, "kind", nets, NETS);
        n->name = text(r, v, "name");
        n->name_length = strlen(n->name);
        for (unsigned k = 0; k < sizeof n->mac; k++)
            n->mac[k] = (uint8_t)(mac >> (40 - 8 * k));
        n->mtu = (uint16_t)number(r, v, "mtu", NET_MTU_MAX);
        n->dns = (uint32_t)number(r, v, "dns", UINT32_MAX);
        read_forwards(r, v, n, false);
        read_forwards(r, v, n, true);
        if ((n->mtu != 0 && n->mtu < NET_MTU_MIN) || (n->mac[0] & 1) != 0)
            miss(r, "mtu");
        if (n->kind != NET_USER && n->name_length == 0)
            miss(r, "name");
    }
}

/* What this machine can be: real mode has one vCPU in the first megabyte, and memory is whole pages
 * in a file of that size. */
static void check(struct reader *r, const struct snapshot_machine *m)
{
    const struct guest_config *c = &m->config;

    if (m->rom % PAGE_SIZE != 0 || (m->rom != 0) != (m->mode == MODE_FIRMWARE) ||
        c->bios != (m->mode == MODE_FIRMWARE) || (c->kernel != NULL && !c->bios))
        miss(r, "rom");
    if (c->memory == 0 || c->memory % PAGE_SIZE != 0 || c->memory + m->rom != m->ram.size)
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
    c->kernel_entry = (enum kernel_entry)word(r, whole, "kernel_entry", entries, ENTRIES);
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
    m->mode = (enum guest_mode)word(&r, whole, "mode", modes, MODES);
    if (text(&r, whole, "asked_mode")[0] != '\0')
        m->config.mode = (enum guest_mode)word(&r, whole, "asked_mode", modes, MODES);
    m->paging = truth(&r, whole, "paging");
    read_start(&r, &m->config);
    m->base = number(&r, whole, "base", UINT64_MAX);
    m->config.memory = number(&r, whole, "memory", MEMORY_MAX);
    m->config.cpus = (unsigned)number(&r, whole, "vcpus", CPUS_MAX);
    m->config.mmio = (enum mmio_policy)word(&r, whole, "mmio", policies, POLICIES);
    if (json_member(&r.json, whole, "append") != NULL)
        m->config.append = text(&r, whole, "append");
    m->config.initrd_count = texts(&r, "initrds", m->config.initrds, INITRDS_MAX);
    m->config.fw_file_count = texts(&r, "fw_files", m->config.fw_files, FW_FILES_MAX);
    if (json_member(&r.json, whole, "virtio") != NULL) /* older ones have no such choice */
        m->config.virtio = (enum virtio_bus)word(&r, whole, "virtio", buses, BUSES);
    m->config.testdev = truth(&r, whole, "testdev");
    m->config.rng = truth(&r, whole, "rng");
    m->config.balloon = truth(&r, whole, "balloon");
    m->config.pvpanic = truth(&r, whole, "pvpanic");
    if (json_member(&r.json, whole, "vsock_cid") != NULL) {
        m->config.vsock.cid = number(&r, whole, "vsock_cid", VIRTIO_VSOCK_CID_MAX);
        m->config.vsock.path = text(&r, whole, "vsock_path");
    }
    m->config.watchdog = (enum watchdog_action)number(&r, whole, "watchdog", WATCHDOG_STOP);
    m->config.bios = truth(&r, whole, "bios");
    if (json_member(&r.json, whole, "kernel") != NULL)
        m->config.kernel = text(&r, whole, "kernel");
    m->rom = number(&r, whole, "rom", FIRMWARE_MAX);
    read_disks(&r, m);
    read_ports(&r, &m->config);
    read_nets(&r, &m->config);
    m->firmware = file(&r, whole, "firmware");
    m->state = file(&r, whole, "state");
    m->ram = file(&r, whole, "ram");
    check(&r, m);
    return r.missing == NULL
               ? 0
               : error_set(error, "\"%s\" is missing or has an impossible value", r.missing);
}
