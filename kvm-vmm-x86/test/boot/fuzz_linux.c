/*
 * libFuzzer: kernels through the Linux loaders and the decompressors into a small guest memory. The
 * first byte chooses the use of the others: as a whole file; as the header of a kernel with a good
 * payload; as the payload of a kernel with a good header. The last two get past checks that random
 * bytes would not.
 */
#include <stdlib.h>
#include <string.h>

#include "linux_kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM_SIZE (8 * MIB)
enum { FILE_ROOM = 64 * 1024, PREFIX = 2, WAYS = 3 };

static size_t make_payload(uint8_t *file, const uint8_t *data, size_t size)
{
    uint32_t said = TEST_VMLINUX_SIZE;

    if (size < sizeof said || size > FILE_ROOM / 2)
        return 0;
    memcpy(&said, data, sizeof said);
    return test_bzimage_wrap(file, data + sizeof said, (uint32_t)(size - sizeof said),
                             said % (4 << 20));
}

static size_t make_header(uint8_t *file, const uint8_t *data, size_t size)
{
    static struct test_vmlinux v;
    uint8_t packed[FILE_ROOM / 2];
    size_t total;

    test_vmlinux_make(&v);
    for (size_t i = 0; i + 1 < size; i += 2) /* the ELF headers change, too */
        if (data[i] < sizeof v.header + sizeof v.segments + sizeof v.note - 64)
            ((uint8_t *)&v)[64 + data[i]] = data[i + 1];
    total = test_bzimage_wrap(file, packed, test_pack_lz4(packed, sizeof packed, &v, sizeof v),
                              sizeof v);
    for (size_t i = 0; i + 1 < size && size % 2; i += 2)
        file[0x1f1 + data[i] % sizeof(struct setup_header)] ^= data[i + 1];
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_ROOM], *ram;
    static const uint8_t initrd[] = "initrd";
    struct image initrds[1] = {{.bytes = initrd, .size = sizeof initrd}};
    struct image image = {.path = "fuzz", .bytes = data + PREFIX, .size = size - PREFIX};
    struct guest_config config = {0};
    struct memory memory;
    struct boot_request request = {.config = &config,
                                   .image = &image,
                                   .memory = &memory,
                                   .limit = RAM_SIZE,
                                   .initrds = initrds,
                                   .initrd_count = 1};
    struct cpu_start start = {0};
    struct error error = {.text = ""};
    const struct loader *loader;

    if (size <= PREFIX)
        return 0;
    if (ram == NULL)
        ram = calloc(1, RAM_SIZE);
    config.kernel_entry = data[1] % 4;
    if (data[0] % WAYS != 0) {
        image.bytes = file;
        image.size = data[0] % WAYS == 1 ? make_payload(file, data + PREFIX, size - PREFIX)
                                         : make_header(file, data + PREFIX, size - PREFIX);
    }
    memory_init(&memory, 0, RAM_SIZE, ram);
    loader = loader_find(&image, &config);
    if (loader != &loader_bzimage && loader != &loader_vmlinux)
        return 0;
    if (loader->load(&request, MODE_LINUX, &start, &error) < 0 && error.text[0] == '\0')
        abort(); /* refused without a reason */
    return 0;
}
