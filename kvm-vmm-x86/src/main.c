/* kvm-vmm: runs small x86 guests on Linux KVM. What a run is: session.c. What a guest is: vm.c. */
#include <stdio.h>

#include "host/files.h"
#include "options/options.h"
#include "session.h"

#define VERSION "0.1"

int main(int argc, char **argv)
{
    struct options options;
    struct error error;

    files_keep_standard();
    if (options_parse(&options, argc, argv, &error) < 0) {
        fprintf(stderr, "kvm-vmm: %s; --help explains\n", error.text);
        return STATUS_USAGE;
    }
    switch (options.action) {
    case OPTIONS_HELP:
        fputs(options_help, stdout);
        return STATUS_OK;
    case OPTIONS_VERSION:
        puts("kvm-vmm " VERSION);
        return STATUS_OK;
    default:
        return session_run(&options);
    }
}
