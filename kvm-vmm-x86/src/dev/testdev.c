/* The test device of kvm-unit-tests; see testdev.h. */
#include "dev/testdev.h"

#include <string.h>

enum { ISA_LINES = 16 };

/* Commands of VMware's port (in ECX), and the values that QEMU answers. */
enum {
    VMWARE_VERSION = 10,
    VMWARE_RAM_SIZE = 20,
    VMWARE_VERSION_6 = 6,
    VMWARE_RAM_ANSWER = 0x1177
};

static void access_bytes(uint8_t *bytes, struct bus_access *access)
{
    if (access->write)
        memcpy(bytes + access->offset, access->data, access->size);
    else
        memcpy(access->data, bytes + access->offset, access->size);
}

static enum verdict word_access(void *device, struct bus_access *access)
{
    struct testdev *t = device;

    lock_take(&t->lock);
    access_bytes((uint8_t *)&t->state.word, access);
    lock_release(&t->lock);
    return VERDICT_RESUME;
}

static enum verdict memory_access(void *device, struct bus_access *access)
{
    struct testdev *t = device;

    lock_take(&t->lock);
    access_bytes(t->state.memory, access);
    lock_release(&t->lock);
    return VERDICT_RESUME;
}

static enum verdict flush_access(void *device, struct bus_access *access)
{
    struct testdev *t = device;
    uint32_t address = 0;
    void *page;

    if (!access->write) {
        memset(access->data, 0, access->size);
        return VERDICT_RESUME;
    }
    memcpy(&address, access->data, access->size);
    page = memory_at(t->backend->memory, address & ~(gpa_t)(PAGE_SIZE - 1), PAGE_SIZE);
    if (page != NULL && t->backend->forget_mapped != NULL)
        t->backend->forget_mapped(page, PAGE_SIZE);
    return VERDICT_RESUME;
}

static enum verdict irq_access(void *device, struct bus_access *access)
{
    struct testdev *t = device;
    unsigned line = (unsigned)access->offset;

    lock_take(&t->lock);
    if (access->write && line < ISA_LINES) {
        t->state.lines[line] = access->data[0] != 0;
        t->backend->interrupt(t->backend->context, line, t->state.lines[line]);
    } else if (!access->write)
        access->data[0] = 0;
    lock_release(&t->lock);
    return VERDICT_RESUME;
}

/* A call is a read of 32 bits: the answer is the value read (EAX), and EBX. */
static enum verdict vmware_access(void *device, struct bus_access *access)
{
    const struct testdev *t = device;
    struct bus_cpu *cpu = access->cpu;
    uint32_t answer = UINT32_MAX;

    if (access->write)
        return VERDICT_RESUME;
    if (access->size == sizeof answer && !access->string &&
        (uint32_t)cpu->regs->rax == TESTDEV_VMWARE_MAGIC) {
        if ((uint32_t)cpu->regs->rcx == VMWARE_VERSION) {
            answer = VMWARE_VERSION_6;
            cpu->regs->rbx = TESTDEV_VMWARE_MAGIC;
            cpu->regs_changed = true;
        } else if ((uint32_t)cpu->regs->rcx == VMWARE_RAM_SIZE) {
            answer = VMWARE_RAM_ANSWER;
            cpu->regs->rbx = (uint32_t)memory_end(t->backend->memory);
            cpu->regs_changed = true;
        }
    }
    memcpy(access->data, &answer, access->size);
    return VERDICT_RESUME;
}

static void testdev_reset(void *device)
{
    struct testdev *t = device;

    lock_take(&t->lock);
    for (unsigned i = 0; i < ISA_LINES; i++)
        if (t->state.lines[i])
            t->backend->interrupt(t->backend->context, i, false);
    memset(&t->state, 0, sizeof t->state);
    lock_release(&t->lock);
}

static const char *const word_names[] = {"word"};
static const char *const flush_names[] = {"page"};
static const char *const irq_names[] = {"level"};
static const char *const vmware_names[] = {"call"};
static const struct bus_registers word_registers = {
    .read = BUS_NAMES(word_names), .written = BUS_NAMES(word_names), .stride = 4};
static const struct bus_registers flush_registers = {
    .read = BUS_NAMES(flush_names), .written = BUS_NAMES(flush_names), .stride = 4};
static const struct bus_registers irq_registers = {
    .read = BUS_NAMES(irq_names), .written = BUS_NAMES(irq_names), .stride = TESTDEV_LINES};
static const struct bus_registers vmware_registers = {
    .read = BUS_NAMES(vmware_names), .written = BUS_NAMES(vmware_names), .stride = 4};

static void restore_lines(void *device)
{
    const struct testdev *t = device;

    for (unsigned i = 0; i < ISA_LINES; i++)
        if (t->state.lines[i])
            t->backend->interrupt(t->backend->context, i, true);
}

static const struct bus_state state = {
    .version = 1, BUS_STATE_OF(struct testdev), .told = restore_lines};

const struct bus_ops testdev_word_ops = {.name = "testdev",
                                         .registers = &word_registers,
                                         .width = 4,
                                         .access = word_access,
                                         .state = &state,
                                         .reset = testdev_reset};
const struct bus_ops testdev_byte_ops = {
    .name = "testdev bytes", .registers = &word_registers, .width = 1, .access = word_access};
const struct bus_ops testdev_flush_ops = {
    .name = "testdev flush", .registers = &flush_registers, .width = 4, .access = flush_access};
const struct bus_ops testdev_irq_ops = {
    .name = "testdev lines", .registers = &irq_registers, .width = 1, .access = irq_access};
const struct bus_ops testdev_memory_ops = {
    .name = "testdev memory", .width = 8, .access = memory_access};
const struct bus_ops testdev_vmware_ops = {.name = "testdev VMware's port",
                                           .registers = &vmware_registers,
                                           .width = 4,
                                           .access = vmware_access};

void testdev_init(struct testdev *testdev, const struct backend *backend)
{
    *testdev = (struct testdev){.backend = backend};
    lock_init(&testdev->lock);
}
