/* kvm-vmm: runs small x86 guests on Linux KVM. A run: session/session.c. A guest: vm/vm.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "control/client.h"
#include "fuzz/fuzz.h"
#include "host/files/files.h"
#include "host/process.h"
#include "options/options.h"
#include "run/run.h"
#include "session/forks.h"
#include "session/session.h"
#include "snapshot/command.h"

/* --help and --version: reports an error, since standard output may be a file on a full disk. */
static int print(const char *text)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return STATUS_OK;
    fprintf(stderr, "kvm-vmm: cannot write to standard output: %s\n", strerror(errno));
    return STATUS_FAILED;
}

/* The first word of a command line that does not run a guest. */
struct command {
    char name[9]; /* in the table, as the names of options are: each start reads it */
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {{"ctl", control_client},
                                          {"snapshot", snapshot_command},
                                          {"fuzz", fuzz_main},
                                          {"run", run_main}};

int main(int argc, char **argv)
{
    struct options options;
    struct error error;

    process_use_small_pages();
    files_keep_standard();
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (options_parse(&options, argc, argv, &error) < 0) {
        fprintf(stderr, "kvm-vmm: %s; --help explains\n", error.text);
        return STATUS_USAGE;
    }
    switch (options.action) {
    case OPTIONS_HELP:
        return print(options_help);
    case OPTIONS_VERSION:
        return print("kvm-vmm " VMM_VERSION "\n");
    default:
        break;
    }
    if (options.forks != 0 && session_forks_init(&options, session_run, &error) < 0) {
        fprintf(stderr, "kvm-vmm: --forks: %s\n", error.text);
        return STATUS_USAGE;
    }
    return session_forks_status(session_run(&options));
}
