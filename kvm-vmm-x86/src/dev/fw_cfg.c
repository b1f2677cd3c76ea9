/* QEMU's firmware configuration device; see fw_cfg.h. Numbers in items are little-endian, those of
 * the directory and of DMA big-endian. */
#include "dev/fw_cfg.h"

#include <string.h>

enum { E820_RAM = 1 };

enum key {
    KEY_SIGNATURE = 0x00,
    KEY_ID = 0x01,
    KEY_RAM_SIZE = 0x03,
    KEY_CPUS = 0x05,
    KEY_CPUS_MAX = 0x0f,
    KEY_DIRECTORY = 0x19,
    KEY_FILES = 0x20,
};

enum { ID_TRADITIONAL = 1, ID_DMA = 2 };

/* Bits of a transfer's control word; with DMA_SELECT the upper half is a key. */
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { DMA_SLICE = 65536 };

#define DMA_SIGNATURE UINT64_C(0x51454d5520434647) /* "QEMU CFG", big-endian at 0x514 */

struct descriptor {
    uint32_t control, length;
    uint64_t address;
} __attribute__((packed));

/* An entry of the directory. */
struct entry {
    uint32_t size;
    uint16_t key, reserved;
    char name[FW_NAME_MAX + 1];
};

_Static_assert(sizeof(struct entry) == 64, "fw_cfg.rst, file directory");

/* The selected item; an empty one if it does not exist. */
static struct fw_cfg_item selected(const struct fw_cfg *fw)
{
    unsigned key = fw->state.selected;

    for (unsigned i = 0; i < FW_CFG_ITEMS_MAX; i++)
        if (fw->items[i].bytes != NULL && fw->items[i].key == key)
            return fw->items[i];
    if (key >= KEY_FILES && key - KEY_FILES < fw->contents.file_count) {
        const struct fw_cfg_file *file = &fw->contents.files[key - KEY_FILES];

        return (struct fw_cfg_item){.bytes = file->bytes, .size = file->size};
    }
    return (struct fw_cfg_item){0};
}

static void choose(struct fw_cfg *fw, uint16_t key)
{
    fw->state.selected = key;
    fw->state.offset = 0;
}

/* Reads past an item's end give zeroes. */
static uint8_t next_byte(struct fw_cfg *fw)
{
    struct fw_cfg_item item = selected(fw);

    return fw->state.offset < item.size ? item.bytes[fw->state.offset++] : 0;
}

static enum verdict fw_cfg_access(void *device, struct bus_access *access)
{
    struct fw_cfg *fw = device;
    uint16_t key = access->data[0];

    lock_take(&fw->lock);
    if (access->write && access->offset == 0 && access->size == 2)
        choose(fw, (uint16_t)(key | access->data[1] << 8));
    for (unsigned i = 0; !access->write && i < access->size; i++)
        access->data[i] = access->offset + i == 1 ? next_byte(fw) : 0;
    lock_release(&fw->lock);
    return VERDICT_RESUME;
}

/* Moves at most a slice; false if the guest has no RAM there. */
static bool move_slice(struct fw_cfg *fw)
{
    struct fw_cfg_state *s = &fw->state;
    struct fw_cfg_item item = selected(fw);
    uint32_t slice = s->left < DMA_SLICE ? s->left : DMA_SLICE;
    uint32_t there = s->offset < item.size ? item.size - s->offset : 0;
    uint8_t zeroes[512] = {0};

    if (there > 0 && slice > there)
        slice = there;
    if (s->control & DMA_READ) {
        if (there > 0 && !memory_write(fw->backend->memory, s->to, item.bytes + s->offset, slice))
            return false;
        for (uint32_t at = 0; there == 0 && at < slice; at += sizeof zeroes)
            if (!memory_write(fw->backend->memory, s->to + at, zeroes,
                              slice - at < sizeof zeroes ? slice - at : sizeof zeroes))
                return false;
    }
    if (there > 0)
        s->offset += slice;
    s->to += slice;
    s->left -= slice;
    return true;
}

static void begin(struct fw_cfg *fw, const struct descriptor *d)
{
    uint32_t control = __builtin_bswap32(d->control);

    if (control & DMA_SELECT)
        choose(fw, (uint16_t)(control >> 16));
    fw->state.control = (uint16_t)control;
    fw->state.left = control & (DMA_READ | DMA_SKIP) ? __builtin_bswap32(d->length) : 0;
    fw->state.to = __builtin_bswap64(d->address);
}

/* Moves one slice in each call, so that the guest can be stopped between two. */
static enum verdict transfer(struct fw_cfg *fw, gpa_t at, struct bus_cpu *cpu)
{
    struct descriptor d;
    uint32_t left = fw->state.left, control = 0;

    if (cpu->done == 0) {
        if (!memory_read(fw->backend->memory, at, &d, sizeof d))
            return VERDICT_RESUME; /* there is no place for an error */
        begin(fw, &d);
        left = fw->state.left;
        if (fw->state.control & DMA_WRITE)
            control = DMA_ERROR; /* nothing here can be written */
    }
    if (control == 0 && left > 0 && !move_slice(fw))
        control = DMA_ERROR;
    if (control == 0 && fw->state.left > 0) {
        cpu->done += left - fw->state.left;
        return VERDICT_AGAIN;
    }
    fw->state.left = 0;
    control = __builtin_bswap32(control);
    (void)!memory_write(fw->backend->memory, at, &control, sizeof control); /* it was read there */
    return VERDICT_RESUME;
}

static enum verdict dma_access(void *device, struct bus_access *access)
{
    struct fw_cfg *fw = device;
    uint64_t signature = __builtin_bswap64(DMA_SIGNATURE);
    enum verdict verdict = VERDICT_RESUME;
    uint32_t value;

    if (!access->write) {
        memcpy(access->data, (uint8_t *)&signature + access->offset, access->size);
        return VERDICT_RESUME;
    }
    if (access->size != sizeof value || access->offset % sizeof value != 0)
        return VERDICT_RESUME;
    memcpy(&value, access->data, sizeof value);
    value = __builtin_bswap32(value);
    lock_take(&fw->lock);
    if (access->offset == 0) {
        fw->state.address_high = value;
    } else {
        verdict = transfer(fw, (gpa_t)fw->state.address_high << 32 | value, access->cpu);
        if (verdict == VERDICT_RESUME)
            fw->state.address_high = 0;
    }
    lock_release(&fw->lock);
    return verdict;
}

static const char *const read_names[FW_CFG_PORTS] = {"nothing", "data"};
static const char *const written_names[FW_CFG_PORTS] = {"selector", "nothing"};
static const struct bus_registers registers = {.read = BUS_NAMES(read_names),
                                               .written = BUS_NAMES(written_names)};
static const char *const dma_names[] = {"DMA address, high", "DMA address, low"};
static const struct bus_registers dma_registers = {
    .read = BUS_NAMES(dma_names), .written = BUS_NAMES(dma_names), .stride = 4};

static const struct bus_state state = {.version = 1, BUS_STATE_OF(struct fw_cfg)};

const struct bus_ops fw_cfg_ops = {.name = "fw_cfg",
                                   .registers = &registers,
                                   .width = 2,
                                   .access = fw_cfg_access,
                                   .state = &state};
const struct bus_ops fw_cfg_dma_ops = {
    .name = "fw_cfg DMA", .registers = &dma_registers, .width = 4, .access = dma_access};

void fw_cfg_init(struct fw_cfg *fw_cfg, const struct backend *backend)
{
    *fw_cfg = (struct fw_cfg){.backend = backend};
    lock_init(&fw_cfg->lock);
}

static void fill_directory(struct fw_cfg *fw)
{
    uint32_t count = __builtin_bswap32(fw->contents.file_count);

    memcpy(fw->directory, &count, sizeof count);
    for (unsigned i = 0; i < fw->contents.file_count; i++) {
        const struct fw_cfg_file *file = &fw->contents.files[i];
        struct entry entry = {.size = __builtin_bswap32(file->size),
                              .key = __builtin_bswap16((uint16_t)(KEY_FILES + i))};

        memcpy(entry.name, file->name, sizeof entry.name);
        memcpy(fw->directory + sizeof count + i * sizeof entry, &entry, sizeof entry);
    }
}

/* Returns the size of RAM in bytes. */
static uint64_t fill_ranges(struct fw_cfg *fw, const struct memory *memory)
{
    uint64_t whole = 0;
    unsigned count = 0;

    for (unsigned i = 0; i < memory->count; i++) {
        if (memory->slots[i].read_only)
            continue;
        fw->ranges[count++] =
            (struct fw_cfg_range){memory->slots[i].base, memory->slots[i].size, E820_RAM};
        whole += memory->slots[i].size;
    }
    fw->contents.files[0] = (struct fw_cfg_file){"etc/e820", (const uint8_t *)fw->ranges,
                                                 (uint32_t)(count * sizeof(struct fw_cfg_range))};
    return whole;
}

void fw_cfg_fill(struct fw_cfg *fw, const struct fw_cfg_contents *contents)
{
    uint16_t cpus = (uint16_t)contents->cpus;
    uint32_t id = ID_TRADITIONAL | ID_DMA;
    uint64_t ram;

    fw->contents = *contents;
    ram = fill_ranges(fw, fw->backend->memory);
    memcpy(fw->numbers, &ram, 8);
    memcpy(fw->numbers + 8, &cpus, 2);
    memcpy(fw->numbers + 10, &cpus, 2);
    memcpy(fw->numbers + 12, &id, 4);
    fill_directory(fw);
    fw->items[0] = (struct fw_cfg_item){KEY_SIGNATURE, (const uint8_t *)"QEMU", 4};
    fw->items[1] = (struct fw_cfg_item){KEY_ID, fw->numbers + 12, 4};
    fw->items[2] = (struct fw_cfg_item){KEY_RAM_SIZE, fw->numbers, 8};
    fw->items[3] = (struct fw_cfg_item){KEY_CPUS, fw->numbers + 8, 2};
    fw->items[4] = (struct fw_cfg_item){KEY_CPUS_MAX, fw->numbers + 10, 2};
    fw->items[5] = (struct fw_cfg_item){
        KEY_DIRECTORY, fw->directory,
        (uint32_t)(sizeof(uint32_t) + fw->contents.file_count * sizeof(struct entry))};
    memcpy(fw->items + FW_CFG_OWN_ITEMS, contents->items,
           contents->item_count * sizeof fw->items[0]);
}
