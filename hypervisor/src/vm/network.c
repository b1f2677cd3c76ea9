/* The switches between VMs; see network.h. */
#include "vm/network.h"

#include "common/string.h"
#include "host/nic.h"
#include "lib/console.h"
#include "mem/page.h"
#include "vm/steps.h"

enum { LOOKS_PER_SECOND = 1000, HEADER = NET_FRAME_MAX - NIC_FRAME };

static const char host[] = "host";

static struct slot *card_of(struct vm *vm)
{
    for (unsigned i = 0; i < vm->slot_count; i++)
        if (vm->slots[i].kind == &net_kind)
            return &vm->slots[i];
    return NULL;
}

/* Sends the frame to each VM on the switch except `from`. Takes one VM's lock at a time, never
 * two. */
static void spread(const struct vm *from, const char *name, const struct net_frame *frame)
{
    unsigned count = __atomic_load_n(&vm_count, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count; i++) {
        struct vm *vm = vms[i];
        LOCK_FOR_BLOCK(&vm->lock);

        if (vm == from || vm->state != VM_RUNNING || vm->net == NULL ||
            strcmp(vm->config.net, name) != 0)
            continue;
        net_receive(card_of(vm), frame);
        if (card_of(vm)->kicked)
            vm_rouse(vm);
    }
}

/* No other task steps the sender's device meanwhile, so its frame does not change. */
void network_send(const struct vm *from, const struct net_frame *frame)
{
    spread(from, from->config.net, frame);
    if (nic_is_open() && strcmp(from->config.net, host) == 0)
        nic_send(frame->bytes + HEADER, frame->size - HEADER);
}

/* ---- From outside ---- */

static struct steps steps = {.has_input = nic_has_frame};

static void step(void)
{
    static struct net_frame frame; /* used only by the steps */
    size_t size = nic_receive(frame.bytes + HEADER);

    if (size > 0) {
        frame.bytes[10] = 1; /* num_buffers, as in dev/virtio/net.c */
        frame.size = (uint16_t)(HEADER + size);
        spread(NULL, host, &frame);
    } else {
        steps_wait(&steps, nic_interrupts() ? 0 : LOOKS_PER_SECOND);
    }
}

static void arrived(void)
{
    steps_rouse(&steps);
}

static bool open(void)
{
    void *pages = page_alloc(NULL, NIC_ORDER);

    if (pages == NULL)
        return false;
    if (!nic_open(pages, arrived)) {
        page_free(NULL, pages, NIC_ORDER); /* no device knows them */
        return false;
    }
    steps_begin(&steps, step); /* frames may have arrived already */
    return true;
}

bool network_join(const struct vm *vm, uint8_t mac[6])
{
    /* A locally administered address. The last byte differs between the VMs of a machine; on a
     * shared wire, three more bytes differ between machines. */
    const uint8_t own[6] = {0x52, 0x56, 0, 0, 0, (uint8_t)(vm->id + 1)};
    uint8_t card[6];

    memcpy(mac, own, sizeof own);
    if (strcmp(vm->config.net, host) != 0)
        return true;
    if (!nic_is_open() && !open()) {
        print("hv: vm %s: net=host: this machine has no virtio network card\n", vm->config.name);
        return false;
    }
    nic_address(card);
    memcpy(mac + 2, card + 3, 3);
    return true;
}
