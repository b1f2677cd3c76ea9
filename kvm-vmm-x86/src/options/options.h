/* The command line. Pure: nothing is opened, nothing is printed. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "host/sandbox/sandbox.h"

enum { LOG_SIZE_MAX = 1 << 24, FORKS_MAX = 64 };
enum { COPY_PLAIN = 1, COPY_ASKED = 2 }; /* COPY_ASKED + the vCPU's number */

enum color_policy { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

struct vm;

/* One run of the program. */
struct options {
    enum options_action action;
    struct guest_config guests[GUESTS_MAX]; /* they differ only in their images */
    unsigned count;                         /* how many of them there are */
    enum color_policy color;
    unsigned input;   /* the guest that has the input at first */
    uint64_t timeout; /* nanoseconds; 0: no limit */
    bool verbose, stats, boot_report;
    bool explain;        /* report every guest that ends, not only one that crashed */
    const char *log;     /* the file for the exit log, or NULL */
    uint64_t log_size;   /* exits kept of each vCPU; 0: the default */
    const char *record;  /* the file that the run is recorded into, to be replayed; or NULL */
    const char *replay;  /* the recording that is replayed; or NULL */
    const char *symbols; /* an ELF file that names the guests' addresses; NULL: the image */
    const char *gdb;     /* where debuggers may connect: [HOST:]PORT or unix:PATH; or NULL */
    const char *control; /* where `kvm-vmm ctl` reaches the run: unix:PATH or a name; or NULL */
    enum sandbox_mode sandbox;
    bool no_sandbox;
    const char *restore; /* the folder of a snapshot, instead of an image; or NULL */
    /* For `run`: handles a signal; false: the signal ends the run. NULL: each signal does. */
    bool (*take_signal)(int signal);
    void (*begun)(void); /* called when its guests run; or NULL */
    /* Of `run --each`: called in each round of the loop; false: the run is over. NULL: nothing. */
    bool (*service)(struct vm *vm, const struct options *options);
    unsigned forks; /* copies that its guest may have running at once, by hypercall; 0: none */
    unsigned copy;  /* 0; of a copy COPY_PLAIN, or COPY_ASKED by a vCPU */
    bool wait;      /* no vCPU runs before a debugger says so */
};

/* Fills `options` from the command line, whose strings it keeps. -1: `error` says what is wrong. */
int options_parse(struct options *options, int argc, char **argv, struct error *error) MUST_CHECK;

/* How many words the option `word` has with its value, 1 or 2; `word` is the full name as on the
 * command line. 0: not an option. */
unsigned options_words(const char *word);

/* The names of all options, one after the other: "memory"; "" if it has only a letter; NULL: that
 * was the last one. */
const char *options_name(unsigned i);

/* What --help prints. */
extern const char options_help[];

/* "64M" -> 67108864. Decimal or 0x..., with K, M or G. false if it is not a number or does not fit.
 */
/* Digits, or 0x and hexadecimal ones; `end` is behind them. */
bool options_parse_number(const char *text, uint64_t *value, char **end);
bool options_parse_size(const char *text, uint64_t *size);
/* "2.5s", "300ms", "10m": nanoseconds. `option` is for the message. */
int options_parse_time(const char *option, const char *text, uint64_t *time,
                       struct error *error) MUST_CHECK;

#endif
