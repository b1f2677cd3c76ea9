/*
 * Image formats. A loader recognises a file by its content, says in which mode the guest starts,
 * and copies it into guest memory. Pure: the file is bytes, the guest's RAM is `struct memory`. The
 * table of loaders is loaders.c.
 */
#ifndef BOOT_LOADER_H
#define BOOT_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "base/memory.h"
#include "cpu/state.h"

struct cached_ops;

struct image {
    const char *path;
    const char *name; /* the image name in the kernel's command line; NULL: its path */
    const uint8_t *bytes;
    size_t size;
};

/* Everything that is read for one guest. */
struct boot_files {
    struct image image, kernel; /* the kernel that firmware is to start */
    struct image initrds[INITRDS_MAX];
    unsigned initrd_count;
};

/* What a loader is asked to do. */
struct boot_request {
    const struct guest_config *config;
    const struct image *image;
    const struct memory *memory;
    gpa_t limit; /* nothing is loaded at or above this address of low RAM: tables go there */
    const struct image *initrds; /* initial ramdisks, for a kernel that takes them */
    unsigned initrd_count;
    gpa_t rsdp;                     /* where the ACPI tables begin; 0: there are none */
    const struct cached_ops *cache; /* the cache of unpacked kernels; NULL: none */
};

struct loader {
    const char *name;
    bool (*recognise)(const struct image *image);
    /* The mode the content asks for; an error if the user asked for one that it cannot have. */
    int (*mode)(const struct image *image, enum guest_mode asked, enum guest_mode *mode,
                struct error *error) MUST_CHECK;
    /* Copies the image and says where the guest starts. `start` comes with the mode's defaults. */
    int (*load)(const struct boot_request *request, enum guest_mode mode, struct cpu_start *start,
                struct error *error) MUST_CHECK;
    bool takes_modules; /* it accepts --initrd */
};

/* The first loader that recognises the image; the last of the table takes anything. Of two entries
 * that one file has, any but KERNEL_ENTRY_AUTO is not multiboot's; what --load or --entry is given
 * for is not refused for what it looks like. */
const struct loader *loader_find(const struct image *image, const struct guest_config *config);

extern const struct loader loader_bzimage, loader_multiboot, loader_vmlinux, loader_elf,
    loader_foreign, loader_flat;

/* Not in that table: firmware, by its option. */
extern const struct loader loader_firmware;

/* Copies `count` bytes to `to`. Fails unless `span` bytes there are RAM below request->limit. */
int loader_place(const struct boot_request *request, gpa_t to, const uint8_t *from, uint64_t count,
                 uint64_t span, struct error *error) MUST_CHECK;

#endif
