/*
 * libFuzzer: the readers of snapshots. The input is the records of `state`, then memory: the vCPUs
 * are read and, if that works, explained, compared with others and written to a core file. One byte
 * folds addresses into memory, as fuzz_explain does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/chunk.h"
#include "snapshot/diff.h"
#include "snapshot/vmcore.h"
#include "watch/explain/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAM = 32 * 1024, CPUS = 2 };

static uint8_t ram[RAM], other_ram[RAM];
static struct snapshot_still still, other;

/* Writes records that a fuzzer does not find by itself: each vCPU has registers, of the input's
 * bytes. */
static size_t write_state(uint8_t *state, size_t room, const uint8_t *data, size_t size)
{
    static const struct {
        const char *name;
        size_t size;
    } parts[] = {{"vcpu 0 regs", sizeof(struct kvm_regs)},
                 {"vcpu 0 sregs", sizeof(struct kvm_sregs)},
                 {"vcpu 1 regs", sizeof(struct kvm_regs)},
                 {"vcpu 1 sregs", sizeof(struct kvm_sregs)},
                 {"vcpu 1 lapic", sizeof(struct kvm_lapic_state)},
                 {"vm pic 0", 520},
                 {"vcpu 0 xsave", 4096},
                 {"vcpu 1 mp", 4}};
    struct chunk_writer writer = {.bytes = state, .room = room};
    uint8_t bytes[4096] = {0};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t part = size < parts[i].size ? size : parts[i].size;

        memcpy(bytes, data, part);
        chunk_write(&writer, parts[i].name, 1, bytes, parts[i].size);
        data += part;
        size -= part;
    }
    return writer.used;
}

static bool make(struct snapshot_still *s, uint8_t *bytes, const uint8_t *state, size_t size)
{
    static struct snapshot_cpu cpus[2][CPUS];
    struct error error;

    *s = (struct snapshot_still){.cpus = cpus[s == &other], .cpu_count = CPUS};
    memset(s->cpus, 0, sizeof cpus[0]);
    memory_init(&s->memory, 0, RAM, bytes);
    s->folder.machine.config.memory = RAM;
    s->folder.state = (uint8_t *)state; /* only read */
    s->folder.saved.state_size = size;
    for (unsigned i = 0; i < CPUS; i++)
        s->cpus[i].registers.state.memory = &s->memory;
    return snapshot_cpus_read(s->cpus, CPUS, state, size, &error) == 0;
}

/* Adds symbols at any address, and Linux's notes at the beginning of memory. A symbol of more than
 * a MiB only takes time. */
static void add_names(unsigned how, const uint8_t *data, size_t size)
{
    static struct symbol symbols[8];
    size_t count = 0;

    for (; count < 8 && size >= 12; count++, data += 12, size -= 12) {
        uint64_t start;
        uint32_t length;

        memcpy(&start, data, sizeof start);
        memcpy(&length, data + sizeof start, sizeof length);
        symbols[count] = (struct symbol){.start = start, .end = start + length % MIB};
    }
    if (how & 0x10)
        still.symbols = (struct symbols){.list = symbols, .count = count, .names = "name"};
    if (how & 0x20) {
        still.folder.machine.mode = MODE_LINUX;
        still.linux_notes = (const char *)ram;
        still.linux_notes_size = size % PAGE_SIZE;
    }
}

static void look(unsigned how)
{
    static char bytes[PAGE_TEXT];
    struct snapshot *first = &still.cpus[0].registers.state;
    char path[] = "/tmp/fuzz_still_XXXXXX";
    struct error error;
    int fd;

    if (how & 1)
        first->sregs.cr3 &= RAM - 1;
    if (how & 2)
        first->sregs.cr0 |= CR0_PE | CR0_PG;
    if (how & 4)
        first->sregs.cr4 |= CR4_PAE;
    if (how & 8)
        first->sregs.efer |= EFER_LMA;
    for (unsigned i = 0; i < CPUS; i++) {
        struct text text = text_in(bytes, sizeof bytes);
        struct page page = {.snapshot = &still.cpus[i].registers.state,
                            .interrupts = &still.cpus[i].interrupts};

        page_print(&text, &page);
        if (strlen(bytes) != text.length || snapshot_cpu_state(&still.cpus[i]) == NULL)
            abort();
    }
    (void)!snapshot_diff_print(&still, &other, &error);
    fd = mkstemp(path); /* a unique name */
    if (fd < 0 || remove(path) < 0 || snapshot_vmcore_write(&still, path, &error) < 0 ||
        remove(path) < 0)
        abort();
    (void)!close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t state[16 * 1024];
    static bool quiet;
    size_t used;

    if (!quiet && freopen("/dev/null", "w", stdout) == NULL)
        abort();
    quiet = true;
    if (size < 2)
        return 0;
    if (data[0] & 0x80) /* uses the input as the records */
        (void)make(&still, ram, data + 1, size - 1);
    used = write_state(state, sizeof state, data + 1, size - 1);
    if (!make(&still, ram, state, used) || !make(&other, other_ram, state, used))
        abort();
    memset(ram, 0, RAM);
    memcpy(ram + size % RAM / 2, data, size < RAM / 2 ? size : RAM / 2);
    for (unsigned i = 0; i + 1 < size && data[0] & 0x40; i += 2) /* page tables with cycles */
        memcpy(ram + (i * 8) % RAM, (uint64_t[]){(uint64_t)(data[i] & 7) << 12 | (data[i + 1] | 1)},
               8);
    add_names(data[0], data + 1, size - 1);
    look(data[0]);
    return 0;
}
