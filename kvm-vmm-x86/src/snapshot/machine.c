/* Reads machine.json; see machine.h. */
#include "snapshot/machine.h"

#include <stdio.h>
#include <string.h>

#include "abi/virtio_vsock.h"
#include "base/address.h"
#include "snapshot/machine_words.h"

#define MEMORY_MAX (64 * GIB)

struct reader {
    struct json json;
    const char *missing; /* the first member that is absent or invalid */
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

/* A list with at most `room` elements. */
static const struct json_value *list_of(struct reader *r, const struct json_value *object,
                                        const char *name, unsigned room)
{
    const struct json_value *list = json_member(&r->json, object, name);

    if (list != NULL && list->kind == JSON_ARRAY && list->number <= room)
        return list;
    miss(r, name);
    return NULL;
}

static void read_shares(struct reader *r, struct snapshot_machine *m)
{
    const struct json_value *list = list_of(r, r->json.values, "shares", SHARES_MAX), *v;

    while (list != NULL && (v = json_element(&r->json, list, m->config.share_count)) != NULL) {
        struct share_config *share = &m->config.shares[m->config.share_count];
        const char *tag = text(r, v, "tag");

        share->path = text(r, v, "path");
        share->path_length = strlen(share->path);
        if (share->path[0] != '/')
            miss(r, "path");
        if (tag[0] == '\0' || strlen(tag) >= sizeof share->tag)
            miss(r, "tag");
        else
            strcpy(share->tag, tag);
        share->read_only = truth(r, v, "read_only");
        share->lasting = truth(r, v, "lasting");
        m->shares[m->config.share_count++] = file(r, v, "files");
    }
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

/* Checks that the machine is possible: real mode has one vCPU and the first megabyte, and memory is
 * whole pages in a file of that size. */
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

/* Reads how the image is started, which matters if the guest resets its machine. */
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

/* Reads the member "diff", if there is one: the base, and the entry of the map's file (one bit for
 * each page, in whole words). */
static void read_diff(struct reader *r, struct snapshot_machine *m)
{
    const struct json_value *v = json_member(&r->json, r->json.values, "diff");

    if (v == NULL)
        return;
    m->below.folder = text(r, v, "base");
    m->below.sum = (uint32_t)number(r, v, "sum", UINT32_MAX);
    m->ram_map = file(r, v, "map");
    if (m->below.folder[0] != '/')
        miss(r, "base");
    if (m->ram_map.size != snapshot_map_size(m->ram.size))
        miss(r, "map");
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
    if (json_member(&r.json, whole, "virtio") != NULL) /* older snapshots do not have it */
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
    read_shares(&r, m);
    read_ports(&r, &m->config);
    read_nets(&r, &m->config);
    m->firmware = file(&r, whole, "firmware");
    m->state = file(&r, whole, "state");
    m->ram = file(&r, whole, "ram");
    m->packed = truth(&r, whole, "packed");
    read_diff(&r, m);
    check(&r, m);
    return r.missing == NULL
               ? 0
               : error_set(error, "\"%s\" is missing or has an impossible value", r.missing);
}
