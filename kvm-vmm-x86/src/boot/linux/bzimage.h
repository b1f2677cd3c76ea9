/*
 * The bzImage format: Documentation/arch/x86/boot.rst in the Linux sources, "The Real-Mode Kernel
 * Header". Reads a file that may lie; every size in it is checked against the bytes at hand.
 */
#ifndef BOOT_LINUX_BZIMAGE_H
#define BOOT_LINUX_BZIMAGE_H

#include <asm/bootparam.h>

#include "boot/loader.h"

/* An opened file; the pointers are into it. */
struct bzimage {
    struct setup_header header; /* as in the file; fields newer than its version are 0 */
    const uint8_t *code;        /* the part that runs in protected mode: decompressor and payload */
    uint64_t code_size;
    const uint8_t *payload; /* the packed kernel, or NULL where the header does not tell */
    uint64_t payload_size;
    uint64_t init_size; /* bytes from the load address on that the kernel needs before it knows its
                           memory */
    gpa_t preferred;    /* where it wants to be loaded */
    bool entry64;       /* has the 64-bit entry point */
};

enum {
    BZIMAGE_ENTRY_64 = 0x200
}; /* from the start of the code; the 32-bit entry is its first byte */

/* The oldest boot protocols accepted. For this VMM: the first with a limit for the command line's
 * length. For firmware, which starts the setup code in real mode: the first with a limit for the
 * ramdisk's address. */
enum { BZIMAGE_OLDEST = 0x206, BZIMAGE_OLDEST_FIRMWARE = 0x203 };

bool bzimage_recognise(const struct image *image);
int bzimage_open(struct bzimage *bzimage, const struct image *image, unsigned oldest,
                 struct error *error) MUST_CHECK;

/* Checks that RAM holds the kernel while it starts. */
int bzimage_check_room(const struct bzimage *bzimage, const struct boot_request *request,
                       struct error *error) MUST_CHECK;

/* Copies the decompressor and what it unpacks to where it wants to be. */
int bzimage_place(const struct bzimage *bzimage, const struct boot_request *request,
                  struct error *error) MUST_CHECK;

/*
 * Whether the file has a checksum (boot.rst, "The Image Checksum") that does not match its bytes.
 * LZ4, as Linux uses it, has no checksum, so only this one detects a damaged file. Kernels of 6.16
 * and later have a zero in its place, and cannot be checked.
 */
bool bzimage_is_damaged(const struct bzimage *bzimage, const struct image *image);

#endif
