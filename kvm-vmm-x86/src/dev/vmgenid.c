/* The VM generation ID; see vmgenid.h. It is not saved: a machine that is loaded gets a new ID. */
#include "dev/vmgenid.h"

#include <string.h>

static enum verdict vmgenid_access(void *device, struct bus_access *access)
{
    struct vmgenid *v = device;
    LOCK_FOR_BLOCK(&v->lock);

    if (!access->write)
        memcpy(access->data, v->id + access->offset, access->size);
    return VERDICT_RESUME;
}

static const char *const names[VMGENID_SIZE / 4] = {"ID", "ID", "ID", "ID"};
static const struct bus_registers registers = {
    .read = BUS_NAMES(names), .written = BUS_NAMES(names), .stride = 4};

const struct bus_ops vmgenid_ops = {
    .name = "vmgenid", .registers = &registers, .width = 8, .access = vmgenid_access};

void vmgenid_renew(struct vmgenid *v)
{
    LOCK_FOR_BLOCK(&v->lock);

    if (!v->backend->random(v->id, sizeof v->id))
        v->id[0]++; /* the host has no random numbers yet: change the ID anyway */
}

void vmgenid_init(struct vmgenid *v, const struct backend *backend)
{
    *v = (struct vmgenid){.backend = backend};
    lock_init(&v->lock);
    vmgenid_renew(v);
}
