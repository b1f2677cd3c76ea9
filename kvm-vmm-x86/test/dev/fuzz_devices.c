/*
 * libFuzzer: a hostile guest's port accesses, any sequence of them, against the whole machine. Each
 * access is 12 bytes of the input: port, size and direction, data, registers.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_backend.h"
#include "vm/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEP = 12 };

/* A saved state from an unknown source: each chunk is accepted or refused. */
static size_t load(struct machine *machine, const uint8_t *data, size_t size)
{
    struct chunk_reader reader = {.bytes = data, .size = size};
    struct chunk chunk;
    struct error error;

    while (chunk_next(&reader, &chunk, &error) > 0)
        (void)!machine_load(machine, &chunk, &error);
    return size - reader.size;
}

/* Any state that the guest has caused can be saved and loaded. */
static void check_it_moves(struct machine *machine)
{
    static uint8_t saved[TESTDEV_MEMORY_SIZE + 8192];
    struct chunk_writer writer = {.bytes = saved, .room = sizeof saved};
    struct chunk_reader reader = {.bytes = saved};
    struct chunk chunk;
    struct error error;

    machine_save(machine, &writer);
    if (writer.full)
        abort();
    reader.size = writer.used;
    while (reader.size > 0)
        if (chunk_next(&reader, &chunk, &error) != 1 || machine_load(machine, &chunk, &error) < 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t ram[64 * 1024];
    static const ioport_t ports[] = {0x500, 0xf4,  0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc,  0x3fd,
                                     0x60,  0x64,  0x70,  0x3d4, 0x92,  0xcf9, 0x600,  0x604,
                                     0x510, 0x514, 0x518, 0xe0,  0xe4,  0xe8,  0x2000, 0x5658};
    struct guest_config config = {.no_ctrl_d = size & 1, .testdev = size & 8};
    struct fake fake;
    struct machine *machine = calloc(1, sizeof *machine);
    struct kvm_regs regs = {0};
    struct error error;

    fake_init(&fake);
    memory_init(&fake.memory, 0, sizeof ram, ram);
    fake.input = data;
    fake.input_count = size;
    fake.input_ends = size & 2;
    if (machine_init(machine, &config, &fake.backend, &fake.backend, 40, &error) < 0)
        abort();
    fw_cfg_fill(&machine->fw_cfg, &(struct fw_cfg_contents){.cpus = 1, .file_count = 1});
    if (size & 4) {
        size_t used = load(machine, data, size);

        data += used;
        size -= used;
    }
    for (; size >= STEP; data += STEP, size -= STEP) {
        uint8_t bytes[8] = {data[2], data[3], data[4], data[5]};
        struct bus_cpu cpu = {.regs = &regs};
        struct bus_access access = {.data = bytes,
                                    .size = (uint8_t)(1 << (data[1] & 3)),
                                    .write = data[1] & 4,
                                    .string = data[1] & 8,
                                    .cpu = &cpu};
        ioport_t port =
            (ioport_t)(ports[data[0] % (sizeof ports / sizeof ports[0])] + (data[1] >> 6));

        regs.rax = data[1] & 16 ? TESTDEV_VMWARE_MAGIC : 0;
        memcpy(&regs.rbx, data + 4, 4);
        memcpy(&regs.rcx, data + 8, 4);
        if (bus_access(&machine->bus, BUS_PIO, port, &access) == VERDICT_STOP &&
            fake.end == END_NONE && fake.input_count > 0)
            abort(); /* stopped without a reason */
    }
    if (fake.end == END_NONE) /* a guest that has ended is not saved */
        check_it_moves(machine);
    free(machine);
    return 0;
}
