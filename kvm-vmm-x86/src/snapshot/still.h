/*
 * The machine of a snapshot, to look at: its vCPUs, its memory and its names. Nothing runs, and KVM
 * is not used. The folder is untrusted.
 */
#ifndef SNAPSHOT_STILL_H
#define SNAPSHOT_STILL_H

#include "host/files/files.h"
#include "snapshot/cpus.h"
#include "snapshot/restore.h"
#include "watch/explain/symbols.h"

/* Owned by the caller, who must not move it. */
struct snapshot_still {
    struct snapshot_folder folder;
    struct memory memory;
    struct snapshot_cpu *cpus;
    unsigned cpu_count;
    const char *linux_notes; /* the VMCOREINFO note of a Linux kernel; NULL: not found */
    size_t linux_notes_size;
    struct file image; /* whose names these are */
    struct symbols symbols;
    const char *no_names; /* why no symbols were read, for a line of output; or NULL */
};

/* Opens the folder at `path`. Names come from the ELF file `names`, or, if that is NULL, from the
 * guest's image if it has some. -1: nothing has to be closed. */
int snapshot_still_open(struct snapshot_still *still, const char *path, const char *names,
                        struct error *error) MUST_CHECK;
/* Fails if a file was truncated while its memory was read. */
int snapshot_still_check(const struct snapshot_still *still, struct error *error) MUST_CHECK;
void snapshot_still_close(struct snapshot_still *still);

/* The vCPU whose page tables are used for names and addresses: the first; for Linux see cpus.h. */
static inline const struct snapshot *snapshot_still_view(const struct snapshot_still *still)
{
    return still->folder.machine.mode == MODE_LINUX
               ? snapshot_cpus_in_kernel(still->cpus, still->cpu_count)
               : &still->cpus[0].registers.state;
}

/* NULL: it has no names. */
const struct symbols *snapshot_still_names(const struct snapshot_still *still);

#endif
