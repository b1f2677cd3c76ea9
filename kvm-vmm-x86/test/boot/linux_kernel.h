/* Small Linux kernels made for tests: a vmlinux of one segment, packed into a bzImage by the real
 * libraries. */
#ifndef TEST_LINUX_KERNEL_H
#define TEST_LINUX_KERNEL_H

#include <asm/bootparam.h>
#include <lz4.h>
#include <string.h>

#include "abi/elf.h"
#include "boot/loader.h"

enum { TEST_SETUP = 1024, TEST_CODE = 4096, TEST_VMLINUX_SIZE = 8192 };
#define TEST_KERNEL_AT   (2 * MIB)
#define TEST_KERNEL_BASE UINT64_C(0xffffffff80000000)
#define TEST_PVH_ENTRY   (TEST_KERNEL_AT + 0x40)

struct test_note {
    uint32_t name_size, value_size, type;
    char name[4];
    uint64_t value;
};

/* A 64-bit kernel: its code is the bytes 0x90 0x91 ..., its data one more page of zeroes. */
struct test_vmlinux {
    struct elf64_header header;
    struct elf64_program_header segments[2];
    struct test_note note;
    uint8_t padding[TEST_CODE - sizeof(struct elf64_header) -
                    2 * sizeof(struct elf64_program_header) - sizeof(struct test_note)];
    uint8_t code[TEST_CODE];
};

static inline void test_vmlinux_make(struct test_vmlinux *v)
{
    *v = (struct test_vmlinux){
        .header = {.ident = {.magic = {0x7f, 'E', 'L', 'F'},
                             .class_ = ELF_CLASS_64,
                             .data = ELF_DATA_LSB,
                             .version = 1},
                   .type = ELF_TYPE_EXEC,
                   .machine = ELF_MACHINE_X86_64,
                   .version = 1,
                   .entry = TEST_KERNEL_AT,
                   .phoff = sizeof v->header,
                   .ehsize = sizeof v->header,
                   .phentsize = sizeof v->segments[0],
                   .phnum = 2},
        .segments = {{.type = ELF_PT_LOAD,
                      .offset = TEST_CODE,
                      .vaddr = TEST_KERNEL_BASE + TEST_KERNEL_AT,
                      .paddr = TEST_KERNEL_AT,
                      .filesz = TEST_CODE,
                      .memsz = 2 * TEST_CODE},
                     {.type = ELF_PT_NOTE,
                      .offset = offsetof(struct test_vmlinux, note),
                      .filesz = sizeof v->note,
                      .memsz = sizeof v->note}},
        .note =
            {.name_size = 4, .value_size = 8, .type = 18, .name = "Xen", .value = TEST_PVH_ENTRY},
    };
    for (unsigned i = 0; i < TEST_CODE; i++)
        v->code[i] = (uint8_t)(0x90 + i);
}

/* Wraps a payload as Linux's build does; returns the file's size. `size` is what the payload says
 * it unpacks to. */
static inline size_t test_bzimage_wrap(uint8_t *file, const void *payload, uint32_t length,
                                       uint32_t size)
{
    struct setup_header h = {.setup_sects = 1,
                             .boot_flag = 0xaa55,
                             .jump = 0x66eb,
                             .header = 0x53726448,
                             .version = 0x20f,
                             .loadflags = LOADED_HIGH,
                             .initrd_addr_max = 0x7fffffff,
                             .relocatable_kernel = 1,
                             .xloadflags = XLF_KERNEL_64,
                             .cmdline_size = 255,
                             .payload_offset = TEST_CODE,
                             .payload_length = length + sizeof size,
                             .pref_address = TEST_KERNEL_AT,
                             .init_size = 1 << 20};
    size_t end = TEST_SETUP + TEST_CODE + length + sizeof size;

    end = (end + sizeof(uint32_t) + 15) & ~(size_t)15; /* the checksum is 0: not used */
    memset(file, 0, end);
    h.syssize = (uint32_t)((end - TEST_SETUP) / 16);
    memcpy(file + 0x1f1, &h, sizeof h);
    memcpy(file + TEST_SETUP + TEST_CODE, payload, length);
    memcpy(file + TEST_SETUP + TEST_CODE + length, &size, sizeof size);
    return end;
}

/* LZ4's legacy frame, one block. */
static inline uint32_t test_pack_lz4(uint8_t *out, uint32_t room, const void *bytes, uint32_t size)
{
    static const uint8_t magic[4] = {0x02, 0x21, 0x4c, 0x18};
    int n = LZ4_compress_default(bytes, (char *)out + 8, (int)size, (int)room - 8);
    uint32_t length = (uint32_t)n;

    memcpy(out, magic, sizeof magic);
    memcpy(out + 4, &length, sizeof length);
    return length + 8;
}

#endif
