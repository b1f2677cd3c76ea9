/* The command line. Pure: nothing is opened, nothing is printed. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"

enum { GUESTS_MAX = 4 };

enum { CPUS_MAX = 64, INITRDS_MAX = 8, LOG_SIZE_MAX = 1 << 24 };

/* MODE_LINUX is never asked for: a kernel is told by its content. */
enum guest_mode { MODE_BY_CONTENT, MODE_REAL, MODE_PROTECTED, MODE_LONG, MODE_LINUX };

/* How a Linux kernel is entered; PVH is a 32-bit entry with a structure of its own. */
enum kernel_entry { KERNEL_ENTRY_AUTO, KERNEL_ENTRY_PVH, KERNEL_ENTRY_64, KERNEL_ENTRY_32 };

/* Accesses to memory that does not exist: the guest is stopped, or they read all ones. */
enum mmio_policy { MMIO_DEFAULT, MMIO_STOP, MMIO_IGNORE };

enum color_policy { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
    enum options_action action;
    const char *images[GUESTS_MAX];
    unsigned guests;
    enum guest_mode mode;
    uint64_t memory; /* bytes of RAM; 0: the mode's default */
    bool has_load, has_entry;
    gpa_t load;  /* where a flat image goes */
    gva_t entry; /* where it starts */
    bool no_paging;
    enum mmio_policy mmio;
    enum color_policy color;
    unsigned input;     /* the guest that has the input at first */
    bool no_ctrl_d;     /* the end of piped input is not turned into a Ctrl-D */
    uint64_t max_exits; /* 0: no limit */
    uint64_t timeout;   /* nanoseconds; 0: no limit */
    bool verbose, stats;
    bool explain;        /* the page about every guest that ends, not only about one that crashed */
    const char *log;     /* the file for the exit log, or NULL */
    uint64_t log_size;   /* exits kept of each vCPU; 0: the default */
    const char *symbols; /* an ELF file that names the guests' addresses; NULL: the image */
    bool display_text;   /* its text page on the terminal, and the keys on its keyboard */
    const char *gdb;     /* where debuggers may connect: [HOST:]PORT or unix:PATH; or NULL */
    bool wait;           /* no vCPU runs before a debugger says so */
    const char *kvm;     /* the device */
    const char *append;  /* the kernel's command line, for images that take one; or NULL */
    unsigned cpus;       /* vCPUs of each guest; 0: the default, one */
    const char *initrds[INITRDS_MAX];
    unsigned initrd_count;
    enum kernel_entry kernel_entry;
    bool reboot; /* a guest that resets its machine starts again instead of ending */
    bool boot_report;
};

/* Fills `options` from the command line, whose strings it keeps. -1: `error` says what is wrong. */
int options_parse(struct options *options, int argc, char **argv, struct error *error) MUST_CHECK;

/* What --help prints. */
extern const char options_help[];

/* "64M" -> 67108864. Decimal or 0x..., with K, M or G. false if it is not a number or does not fit.
 */
bool options_parse_size(const char *text, uint64_t *size);

#endif
