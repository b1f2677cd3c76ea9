/* The sandbox of a run; see session_sandbox.h. */
#include "session_sandbox.h"

#include "boot/linux/kernel_cache.h"
#include "console/console.h"
#include "host/cache.h"
#include "host/disk.h"
#include "host/landlock.h"
#include "host/sandbox.h"
#include "host/zydis.h"

static unsigned needs_of_guest(const struct guest_config *g)
{
    unsigned needs = 0;

    needs |= g->share_count > 0 ? SANDBOX_SHARE : 0;
    needs |= g->disk_count > 0 ? SANDBOX_DISK : 0;
    needs |= g->net_count > 0 ? SANDBOX_NET : 0;
    needs |= g->serial == SERIAL_UNIX ? SANDBOX_SERVER : 0;
    needs |= g->vsock.cid != 0 ? SANDBOX_SERVER | SANDBOX_VSOCK : 0;
    for (unsigned i = 0; i < g->net_count; i++)
        needs |= g->nets[i].kind == NET_USER ? SANDBOX_USER_NET : 0;
    for (unsigned i = 0; i < g->port_count; i++)
        needs |= g->ports[i].kind == SERIAL_UNIX ? SANDBOX_SERVER : 0;
    return needs;
}

/* What is read or written later and has not been opened yet. A kernel is only read again, unless
 * this run is to keep it: a guest must not reach those of others. */
static void allow_files(const struct options *options, const struct guest_config guests[GUESTS_MAX])
{
    if (cache_folder() != NULL && kernel_cache_used() != KERNEL_CACHE_UNUSED)
        landlock_allow_path(cache_folder(), LANDLOCK_READ_FOLDER);
    if (cache_folder() != NULL && kernel_cache_is_due())
        landlock_allow_path(cache_folder(), LANDLOCK_WRITE_FOLDER);
    if (options->control != NULL) /* a snapshot may be asked for in any folder */
        landlock_allow_path("/", LANDLOCK_WRITE_FOLDER);
    if (options->service == NULL)
        return;
    landlock_allow_path("/proc", LANDLOCK_LIST); /* a copy looks what it has open */
    for (unsigned i = 0; i < guests[0].disk_count; i++) {
        landlock_allow(disk_file(guests[0].disks[i].open), LANDLOCK_READ);
        if (guests[0].disks[i].overlay)
            landlock_allow_path(disk_overlay_folder(), LANDLOCK_WRITE_FOLDER);
    }
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
        console_printf("kvm-vmm: this kernel has no Landlock: the sandbox does not bound which "
                       "files can be opened");
    return entered < 0 ? -1 : 0;
}
