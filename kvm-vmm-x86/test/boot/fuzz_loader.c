/*
 * libFuzzer: any file through the loaders into a small guest memory. The first bytes choose the
 * mode and the options; the sanitizers watch the ends of memory, and the reserved range must not
 * change except for its first page and its last paragraph.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM_SIZE (2 * MIB)
#define LIMIT    (RAM_SIZE - 64 * KIB)

static struct guest_config make_config(const uint8_t *header)
{
    struct guest_config o = {.mode = header[0] % 4, .no_paging = header[1] & 1};

    o.has_load = header[1] & 2;
    o.has_entry = header[1] & 4;
    memcpy(&o.load, header + 2, 4);
    memcpy(&o.entry, header + 6, 4);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEADER = 10, STUB = 16 };
    static uint8_t *ram;
    struct guest_config config;
    struct image image;
    struct memory memory;
    struct boot_request request = {.config = &config, .image = &image, .memory = &memory};
    struct cpu_start start = {0};
    struct error error = {.text = ""};
    enum guest_mode mode;
    const struct loader *loader;

    if (size <= HEADER)
        return 0;
    if (ram == NULL)
        ram = calloc(1, RAM_SIZE);
    config = make_config(data);
    image = (struct image){.path = "fuzz", .bytes = data + HEADER, .size = size - HEADER};
    memory_init(&memory, 0, RAM_SIZE, ram);
    request.limit = LIMIT;
    loader = loader_find(&image, &config);
    if (loader->mode(&image, config.mode, &mode, &error) == 0)
        (void)!loader->load(&request, mode, &start, &error);
    memset(ram + LIMIT, 0, CPU_BOOT_INFO_SIZE); /* the boot information of a multiboot kernel */
    memset(ram + RAM_SIZE - STUB, 0, STUB);     /* the stub in place of the BIOS */
    for (size_t i = LIMIT; i < RAM_SIZE; i++)
        if (ram[i] != 0)
            abort();
    return 0;
}
