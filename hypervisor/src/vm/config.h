/*
 * The guests that are asked for, as text: a manifest in the hypervisor's initrd or its command
 * line.
 *
 *   vm NAME key=value...    # comment to the end of the line
 *   vm linux cpus=2 mem=256M kernel=Image initrd=initrd.gz args="console=ttyS0 quiet"
 *
 * Words are separated by white space; the next `vm` begins the next guest. Keys: cpus mem kernel
 * initrd args disk net console interrupts page base entry load weight harts clones symbols. Pure:
 * no allocation, no output.
 */
#ifndef VM_CONFIG_H
#define VM_CONFIG_H

#include "lib/types.h"

enum { CONFIG_FILE_SIZE = 64, CONFIG_ARGS_SIZE = 512 };
enum vm_console { CONSOLE_UART, CONSOLE_VIRTIO };
enum vm_interrupts { INTERRUPTS_PLIC, INTERRUPTS_IMSIC };

struct vm_config {
    char name[NAME_SIZE];
    char kernel[CONFIG_FILE_SIZE], initrd[CONFIG_FILE_SIZE];
    char disk[CONFIG_FILE_SIZE];    /* a file of the initrd, or "host:N" */
    char net[NAME_SIZE];            /* the switch it is plugged into */
    char symbols[CONFIG_FILE_SIZE]; /* a list of its functions (lib/symbols.h) */
    char args[CONFIG_ARGS_SIZE];
    unsigned cpus;
    unsigned clones;               /* that it may ask for itself, by SBI */
    unsigned weight;               /* of each vCPU when harts are scarce; 100 is usual */
    uint32_t harts;                /* where they may run: a bit a hart, ~0: anywhere */
    uint64_t memory, base;         /* base ~0: by the image */
    uint64_t entry, load;          /* of a flat image, relative to nothing; ~0: base */
    unsigned page_level;           /* largest mapping: GSTAGE_4K, _2M, _1G */
    enum vm_console console;       /* where typed characters go */
    enum vm_interrupts interrupts; /* as requested; see make.c */
};

struct config_error {
    unsigned line;
    char text[96];
};

/* Fills `configs`; returns how many, or -1 with `error` filled: one clear reason. */
int config_parse(const char *text, size_t size, struct vm_config *configs, unsigned max,
                 struct config_error *error) MUST_CHECK;
/* Writes the line from which config_parse() makes the same configuration. */
enum { CONFIG_LINE_SIZE = 1024 + CONFIG_ARGS_SIZE };
void config_write(const struct vm_config *config, char line[CONFIG_LINE_SIZE]);

#endif
