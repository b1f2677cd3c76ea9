/* The test device of kvm-unit-tests; see testdev.h. */
#include "dev/testdev.h"

#include <string.h>

enum { VERSION = 1, ISA_LINES = 16 };

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

static void testdev_save(void *device, const char *name, struct chunk_writer *writer)
{
    struct testdev *t = device;

    if (!t->present)
        return;
    lock_take(&t->lock);
    chunk_write(writer, name, VERSION, &t->state, sizeof t->state);
    lock_release(&t->lock);
}

static int testdev_load(void *device, const struct chunk *chunk, struct error *error)
{
    struct testdev *t = device;

    if (!t->present)
        return error_set(error, "a saved state of \"%s\", which this machine does not have",
                         chunk->name);
    lock_take(&t->lock);
    if (chunk_copy(chunk, VERSION, &t->state, sizeof t->state, error) < 0) {
        lock_release(&t->lock);
        return -1;
    }
    for (unsigned i = 0; i < ISA_LINES; i++)
        if (t->state.lines[i])
            t->backend->interrupt(t->backend->context, i, true);
    lock_release(&t->lock);
    return 0;
}

static const char *const word_names[] = {"word"};
static const char *const flush_names[] = {"page"};
static const char *const irq_names[] = {"level"};
static const struct bus_registers word_registers = {
    .read = BUS_NAMES(word_names), .written = BUS_NAMES(word_names), .stride = 4};
static const struct bus_registers flush_registers = {
    .read = BUS_NAMES(flush_names), .written = BUS_NAMES(flush_names), .stride = 4};
static const struct bus_registers irq_registers = {
    .read = BUS_NAMES(irq_names), .written = BUS_NAMES(irq_names), .stride = TESTDEV_LINES};

const struct bus_ops testdev_word_ops = {.name = "testdev",
                                         .registers = &word_registers,
                                         .width = 4,
                                         .access = word_access,
                                         .reset = testdev_reset,
                                         .save = testdev_save,
                                         .load = testdev_load};
const struct bus_ops testdev_byte_ops = {
    .name = "testdev bytes", .registers = &word_registers, .width = 1, .access = word_access};
const struct bus_ops testdev_flush_ops = {
    .name = "testdev flush", .registers = &flush_registers, .width = 4, .access = flush_access};
const struct bus_ops testdev_irq_ops = {
    .name = "testdev lines", .registers = &irq_registers, .width = 1, .access = irq_access};
const struct bus_ops testdev_memory_ops = {
    .name = "testdev memory", .width = 8, .access = memory_access};

void testdev_init(struct testdev *testdev, const struct backend *backend, bool present)
{
    *testdev = (struct testdev){.backend = backend, .present = present};
    lock_init(&testdev->lock);
}
