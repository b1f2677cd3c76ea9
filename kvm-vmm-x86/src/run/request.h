/* The command line of `kvm-vmm run`. */
#ifndef RUN_REQUEST_H
#define RUN_REQUEST_H

#include <stdbool.h>

#include "base/config.h"
#include "base/error.h"

enum { RUN_WORDS_MAX = 256, RUN_NAMES_MAX = 64 };

struct run_request {
    const char *kernel, *root, *folder, *modules;
    const char *script;             /* run instead of COMMAND, whose words are its arguments */
    const char *output;             /* junit:FILE */
    const char *each;               /* a file: COMMAND is run for each line, in a fork */
    const char *jobs;               /* how many at once */
    const char *shares[SHARES_MAX]; /* DIR[,ro] */
    unsigned share_count;
    const char *variables[RUN_NAMES_MAX]; /* of the environment: NAME or NAME=VALUE */
    unsigned variable_count;
    const char *hidden[RUN_NAMES_MAX];
    unsigned hidden_count;
    bool write, shell, help;
    bool ended;               /* -- stands before COMMAND */
    char *vmm[RUN_WORDS_MAX]; /* options of the VMM's, as they stand there */
    int vmm_count;
    const char *append;
    char **command; /* NULL-terminated; NULL: a shell */
};

int run_request_parse(struct run_request *request, int argc, char **argv,
                      struct error *error) MUST_CHECK;

/* An option of ours among the words of COMMAND, which gets it; NULL: no word is one, or -- stands
 * before COMMAND, so that it is meant so. */
const char *run_request_misplaced(const struct run_request *request);

extern const char run_help[];

#endif
