/* The sandbox of a run; see session/sandbox.h. */
#include "session/sandbox.h"

#include <stdio.h>
#include <string.h>

#include "boot/linux/kernel_cache.h"
#include "console/console.h"
#include "control/server.h"
#include "host/disk/disk.h"
#include "host/files/cache.h"
#include "host/sandbox/landlock.h"
#include "host/sandbox/sandbox.h"
#include "host/zydis.h"
#include "session/fork.h"

static unsigned needs_of_guest(const struct guest_config *g)
{
    unsigned needs = 0;

    needs |= g->share_count > 0 ? SANDBOX_SHARE : 0;
    needs |= g->disk_count > 0 ? SANDBOX_DISK : 0;
    needs |= g->net_count > 0 ? SANDBOX_NET : 0;
    needs |= g->serial == SERIAL_UNIX ? SANDBOX_SERVER : 0;
    needs |= g->testdev ? SANDBOX_TESTDEV : 0;
    needs |= g->vsock.cid != 0 ? SANDBOX_SERVER | SANDBOX_VSOCK : 0;
    for (unsigned i = 0; i < g->net_count; i++)
        needs |= g->nets[i].kind == NET_USER ? SANDBOX_USER_NET : 0;
    for (unsigned i = 0; i < g->port_count; i++)
        needs |= g->ports[i].kind == SERIAL_UNIX ? SANDBOX_SERVER : 0;
    return needs;
}

/* Allows the folder of an output file, for the files of copies. */
static void allow_beside(const char *path)
{
    char folder[FOLDER_PATH_MAX];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) : 0, path);
    landlock_allow_path(slash == NULL ? "." : slash == path ? "/" : folder, LANDLOCK_WRITE_FOLDER);
}

/* Allows what a forked copy opens (session/fork.c): it lists its descriptors, opens the disks
 * again, and has its own overlays, control socket and files. */
static void allow_copies(const struct options *options, const struct guest_config *guest)
{
    struct endpoint endpoint;
    struct error ignored;

    landlock_allow_path("/proc", LANDLOCK_LIST);
    for (unsigned i = 0; i < guest->disk_count; i++) {
        landlock_allow(disk_file(guest->disks[i].open), LANDLOCK_READ);
        if (guest->disks[i].overlay)
            landlock_allow_path(disk_overlay_folder(), LANDLOCK_WRITE_FOLDER);
    }
    if (options->control == NULL)
        return;
    if (control_endpoint(&endpoint, options->control, false, &ignored) == 0)
        allow_beside(endpoint.path);
    for (unsigned i = 0; i < guest->port_count; i++) {
        if (guest->ports[i].kind == SERIAL_FILE || guest->ports[i].kind == SERIAL_UNIX)
            allow_beside(guest->ports[i].path);
        if (guest->ports[i].kind == SERIAL_PTY) {
            landlock_allow_path("/dev/ptmx", LANDLOCK_WRITE);
            landlock_allow_path("/dev/pts", LANDLOCK_WRITE);
        }
    }
    if (guest->debugcon != NULL)
        allow_beside(guest->debugcon);
    if (guest->vsock.cid != 0)
        allow_beside(guest->vsock.path);
}

/* Allows files that are read or written later and are not open yet. The cache of kernels is only
 * readable, unless this run adds one: a guest must not change other guests' kernels. */
static void allow_files(const struct options *options, const struct guest_config guests[GUESTS_MAX])
{
    char cache[PATH_MAX];
    struct error ignored;

    if (kernel_cache_used() != KERNEL_CACHE_UNUSED && cache_folder(cache) != NULL)
        landlock_allow_path(cache, LANDLOCK_READ_FOLDER);
    if (kernel_cache_is_due() && cache_folder(cache) != NULL)
        landlock_allow_path(cache, LANDLOCK_WRITE_FOLDER);
    if (options->control != NULL)
        landlock_allow_path("/proc/self/pagemap", LANDLOCK_READ); /* for a snapshot */
    if ((options->service != NULL || options->control != NULL) && options->count == 1 &&
        session_fork_check_run(options, &guests[0], &ignored) == 0)
        allow_copies(options, &guests[0]);
}

int session_sandbox_enter(const struct options *options,
                          const struct guest_config guests[GUESTS_MAX], struct error *error)
{
    unsigned needs = 0;
    int entered;

    if (options->no_sandbox)
        return 0;
    zydis_load();
    allow_files(options, guests);
    for (unsigned i = 0; i < options->count; i++)
        needs |= needs_of_guest(&guests[i]);
    needs |= options->gdb != NULL ? SANDBOX_SERVER | SANDBOX_TRAVEL : 0;
    needs |= options->control != NULL ? SANDBOX_SERVER | SANDBOX_SNAPSHOT | SANDBOX_FORK : 0;
    needs |= options->service != NULL ? SANDBOX_FORK : 0;
    needs |=
        kernel_cache_used() != KERNEL_CACHE_UNUSED || kernel_cache_is_due() ? SANDBOX_CACHE : 0;
    entered = sandbox_enter(needs, error);
    if (entered == 0)
        console_printf("kvm-vmm: this kernel has no Landlock: the sandbox does not limit which "
                       "files can be opened");
    return entered < 0 ? -1 : 0;
}
