/* A small guest memory and what a loader is asked, for the tests of loaders; and a 32-bit ELF file.
 */
#ifndef TEST_LOAD_FIXTURE_H
#define TEST_LOAD_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "abi/multiboot.h"
#include "boot/loader.h"
#include "cmocka_all.h"
#include "common/elf.h"

#define RAM_SIZE (4 * MIB)
#define LIMIT    (RAM_SIZE - 64 * KIB)

struct fixture {
    uint8_t *ram;
    struct memory memory;
    struct guest_config config;
    struct image image;
    const char *path; /* its; NULL: "image" */
    struct image initrds[2];
    unsigned initrd_count;
    gpa_t rsdp;
    struct cpu_start start;
    struct error error;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->ram = calloc(1, RAM_SIZE);
    memory_init(&f->memory, 0, RAM_SIZE, f->ram);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    free(f->ram);
    free(f);
    return 0;
}

static int load(struct fixture *f, const void *bytes, size_t size, gpa_t limit)
{
    struct boot_request request = {.config = &f->config,
                                   .image = &f->image,
                                   .memory = &f->memory,
                                   .limit = limit,
                                   .initrds = f->initrds,
                                   .initrd_count = f->initrd_count,
                                   .rsdp = f->rsdp};
    enum guest_mode mode;
    const struct loader *loader;

    f->image =
        (struct image){.path = f->path != NULL ? f->path : "image", .bytes = bytes, .size = size};
    loader = loader_find(&f->image, &f->config);
    if (loader->mode(&f->image, f->config.mode, &mode, &f->error) < 0)
        return -1;
    f->start = (struct cpu_start){.paging = mode == MODE_PROTECTED && !f->config.no_paging};
    return loader->load(&request, mode, &f->start, &f->error);
}

struct file32 {
    struct elf32_header header;
    struct elf32_program_header segment;
    uint32_t multiboot[3];
};

static struct file32 elf32(uint32_t address)
{
    return (struct file32){
        .header = {.ident = {.magic = {0x7f, 'E', 'L', 'F'}, .class_ = 1, .data = 1},
                   .machine = ELF_MACHINE_386,
                   .entry = address,
                   .phoff = sizeof(struct elf32_header),
                   .phentsize = sizeof(struct elf32_program_header),
                   .phnum = 1},
        .segment = {.type = ELF_PT_LOAD,
                    .offset = offsetof(struct file32, multiboot),
                    .vaddr = address,
                    .paddr = address,
                    .filesz = 12,
                    .memsz = 0x2000},
    };
}

#endif
