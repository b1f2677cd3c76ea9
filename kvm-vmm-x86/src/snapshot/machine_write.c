/* Writes machine.json; see machine.h. */
#include "snapshot/machine.h"
#include "snapshot/machine_words.h"

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

static void write_shares(struct json_out *out, const struct snapshot_machine *m)
{
    json_open(out, "shares", '[');
    for (unsigned i = 0; i < m->config.share_count; i++) {
        const struct share_config *share = &m->config.shares[i];

        json_open(out, NULL, '{');
        json_bytes(out, "path", share->path, share->path_length);
        json_string(out, "tag", share->tag);
        json_bool(out, "read_only", share->read_only);
        json_bool(out, "lasting", share->lasting);
        write_file(out, "files", &m->shares[i]);
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

/* Writes a forwarded port as one number, because the number of values in the file is limited. */
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
    write_shares(out, m);
    write_ports(out, c);
    write_nets(out, c);
    write_file(out, "firmware", &m->firmware);
    write_file(out, "state", &m->state);
    write_file(out, "ram", &m->ram);
    json_bool(out, "packed", m->packed);
    if (m->below.folder != NULL) {
        json_open(out, "diff", '{');
        json_string(out, "base", m->below.folder);
        json_number(out, "sum", m->below.sum);
        write_file(out, "map", &m->ram_map);
        json_close(out, '}');
    }
    json_close(out, '}');
}
