/* Runs the command in the lab; see lab.h. */
#include "run/lab.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/probe.h"
#include "run/kernel.h"

int run_lab_enter(char **argv, struct error *error)
{
    char folder[PATH_MAX], lab[PATH_MAX + 16], self[PATH_MAX + 16];
    const char *forced = getenv("KVM"), *why = NULL;
    char **words;
    int count = 0;

    if (access("/dev/kvm", F_OK) < 0)
        why = "has no /dev/kvm";
    else if (access("/dev/kvm", R_OK | W_OK) < 0)
        why = "does not let this user open /dev/kvm (`ls -l /dev/kvm` shows who may)";
    else if (forced == NULL && !probe_paging32("/dev/kvm"))
        why = "has an incomplete KVM";
    if (forced != NULL && strcmp(forced, "lab") == 0)
        why = "is excluded by KVM=lab";
    if (why == NULL || (forced != NULL && strcmp(forced, "host") == 0) ||
        !run_kernel_program_folder(folder))
        return 0;
    snprintf(lab, sizeof lab, "%s/../lab/lab", folder);
    if (access(lab, X_OK) < 0)
        return strncmp(why, "has a", 5) == 0 ? 0 : error_set(error, "this host %s", why);
    fprintf(stderr, "kvm-vmm run: this host %s: running in the lab's machine, which is slower\n",
            why);
    if (readlink("/proc/self/exe", self, sizeof self - 1) <= 0)
        return error_set(error, "cannot read /proc/self/exe");
    snprintf(self, sizeof self, "%s/kvm-vmm", folder);
    while (argv[count] != NULL)
        count++;
    words = calloc((size_t)count + 6, sizeof *words); /* freed by execv */
    if (words == NULL)
        return error_set(error, "out of memory");
    words[0] = lab;
    words[1] = (char *)"run";
    words[2] = (char *)"env";
    words[3] = (char *)"KVM=host"; /* KVM is complete there; env hides this from the lab itself */
    words[4] = self;
    memcpy(words + 5, argv, (size_t)count * sizeof *words);
    execv(lab, words);
    return error_set(error, "%s: %s", lab, strerror(errno));
}
