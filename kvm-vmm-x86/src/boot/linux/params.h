/*
 * What a Linux kernel is told when it is entered: its command line, its initial ramdisks, and where
 * they and the memory are, in the form its entry reads (the zero page, or PVH's start information).
 * And what it says when it resets the machine.
 */
#ifndef BOOT_LINUX_PARAMS_H
#define BOOT_LINUX_PARAMS_H

#include <asm/bootparam.h>

#include "boot/loader.h"

/* A file beside the kernel, in memory. */
struct linux_module {
    gpa_t at;
    uint64_t size;
    const char *text; /* its command line; NULL: none */
};

struct linux_params {
    struct setup_header header;               /* the kernel's own, or what stands for it */
    struct linux_module modules[INITRDS_MAX]; /* the first is the initial ramdisk */
    unsigned module_count;
    gpa_t command_line;
    gpa_t rsdp; /* 0: no ACPI */
};

/* Writes the command line into `line`: what this VMM proposes, then the user's words. A proposal
 * whose parameter the user names is left out. Returns its length, which is `size` or more if it did
 * not fit (as snprintf does). */
size_t linux_command_line(char *line, size_t size, const char *append, bool pci);

/* Copies the initial ramdisks as high as they may stand in low RAM, above `kernel_end` and not
 * beyond `last`: joined as one module, each at a multiple of four bytes as cpio wants it; or, with
 * `apart`, each as a separate module that begins on a page. */
int linux_place_initrds(const struct boot_request *request, gpa_t kernel_end, gpa_t last,
                        bool apart, struct linux_params *params, struct error *error) MUST_CHECK;

/* Each writes one form; false if memory has no room for it. The modules' command lines have
 * LINUX_MODULE_TEXT bytes in all. */
enum { LINUX_MODULE_TEXT = 2048 };
bool linux_write_zero_page(const struct memory *memory,
                           const struct linux_params *params) MUST_CHECK;
bool linux_write_start_info(const struct memory *memory,
                            const struct linux_params *params) MUST_CHECK;

/*
 * How a kernel resets the machine. Before it does, Linux leaves the BIOS's flag for a warm start at
 * 0x472 (IBM PC/AT technical reference, "BIOS data area"). The command line we propose makes panics
 * warm and reboots cold (reboot=panic_warm, Linux 5.3 and newer), so the flag tells one from the
 * other with no driver in the guest.
 */
bool linux_reset_is_warm(const struct memory *memory);

/*
 * A kernel with reboot=t resets by a triple fault, which is otherwise a crash. Before the guest
 * starts linux_mark_flag puts a word there that no kernel writes; once it is gone, the kernel has
 * begun to reset. false: no memory for it.
 */
bool linux_mark_flag(const struct memory *memory) MUST_CHECK;
bool linux_is_resetting(const struct memory *memory);

/* Whether a kernel with the command line `append` resets warm on a panic and cold on a reboot. */
bool linux_reset_is_panic(const char *append);

/* Whether a kernel with the user's words `append` runs with its local APIC off. */
bool linux_has_no_lapic(const char *append);

#endif
