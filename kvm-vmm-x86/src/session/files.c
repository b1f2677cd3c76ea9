/* Checks and opens the files of a run; see session/files.h. */
#include "session/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/console.h"
#include "console/ports.h"
#include "console/streams.h"
#include "host/descriptors.h"
#include "host/disk/disk.h"
#include "host/events.h"
#include "host/files/files.h"
#include "host/net/net.h"
#include "host/net/vsock.h"
#include "host/sandbox/sandbox.h"
#include "session/display.h"
#include "session/end.h"
#include "session/shares.h"
#include "snapshot/restore.h"
#include "vm/guest_files.h"

/* Extra time before `watch` ends the program: the event loop handles slow files and can name the
 * file. */
#define LOOPS_TURN UINT64_C(100000000)

static struct {
    struct lock lock;
    struct condition read;
    struct thread thread;
    uint64_t due; /* 0: there is no limit */
    bool over;    /* under the lock */
} session_files;

/* Ends the program at the limit. There is nothing to undo: no guest runs, and the terminal is
 * unchanged. */
static void *watch(void *unused)
{
    static const char text[] =
        "kvm-vmm: stopped by --timeout: a file or disk of the guest does not answer\n";
    uint64_t now;

    (void)unused;
    thread_name("limit");
    lock_take(&session_files.lock);
    while (!session_files.over && (now = events_now()) < session_files.due)
        condition_wait_for(&session_files.read, &session_files.lock, session_files.due - now);
    if (!session_files.over) {
        (void)streams_write(FILE_STDERR, text, sizeof text - 1); /* only what is taken at once */
        _Exit(STATUS_LIMIT);
    }
    lock_release(&session_files.lock);
    return NULL;
}

static int start_limit(uint64_t nanoseconds, struct error *error)
{
    if (nanoseconds == 0)
        return 0;
    lock_init(&session_files.lock);
    condition_init(&session_files.read);
    session_files.due = events_now() + nanoseconds + LOOPS_TURN;
    if (thread_start(&session_files.thread, watch, NULL, error) == 0)
        return 0;
    session_files.due = 0;
    return -1;
}

void session_files_are_read(void)
{
    if (session_files.due == 0)
        return;
    lock_take(&session_files.lock);
    session_files.over = true;
    condition_wake_all(&session_files.read);
    lock_release(&session_files.lock);
    thread_join(&session_files.thread);
}

static int check_pair(const char *option, const char *written, const char *read,
                      struct error *error)
{
    if (read == NULL || !files_are_one(written, read))
        return 0;
    return error_set(error, "%s %s would overwrite %s, which this run reads", option, written,
                     read);
}

/* `read`: the first `length` bytes are the path; a name or option follows. */
static int check_part(const char *option, const char *written, const char *read, size_t length,
                      struct error *error)
{
    char path[4096];

    snprintf(path, sizeof path, "%.*s", (int)length, read);
    return check_pair(option, written, path, error);
}

static int check(const struct options *o, const char *option, const char *written,
                 struct error *error)
{
    for (unsigned i = 0; i < o->count; i++) {
        const struct guest_config *g = &o->guests[i];

        if (check_pair(option, written, g->image, error) < 0)
            return -1;
        if (g->kernel != NULL && check_pair(option, written, g->kernel, error) < 0)
            return -1;
        for (unsigned k = 0; k < g->initrd_count; k++) {
            const char *read = g->initrds[k], *mark = guest_files_initrd_mark(read);

            if (check_part(option, written, read,
                           mark != NULL ? (size_t)(mark - read) : strlen(read), error) < 0)
                return -1;
        }
        for (unsigned k = 0; k < g->disk_count; k++)
            if (check_part(option, written, g->disks[k].path, g->disks[k].path_length, error) < 0)
                return -1;
    }
    return check_pair(option, written, o->symbols, error);
}

/* Checks the output file of a port, for each guest. */
static int check_output(const struct options *options, const char *option, const char *to,
                        struct error *error)
{
    char path[4096];

    for (unsigned i = 0; i < options->count; i++) {
        int length = i == 0 ? snprintf(path, sizeof path, "%s", to)
                            : snprintf(path, sizeof path, "%s.%u", to, i);

        if (length >= (int)sizeof path)
            return error_set(error, "%s: a path of %d bytes is too long", option, length);
        if (check(options, option, path, error) < 0)
            return -1;
        if (options->log != NULL && check_pair(option, path, options->log, error) < 0)
            return error_set(error, "%s and --log would both write %s", option, path);
    }
    return 0;
}

int session_files_check(const struct options *options, struct error *error)
{
    const struct guest_config *first = &options->guests[0];

    sandbox_begin(options->no_sandbox ? SANDBOX_OFF : options->sandbox);
    if (start_limit(options->timeout, error) < 0 ||
        (options->log != NULL && check(options, "--log", options->log, error) < 0) ||
        (options->record != NULL && check(options, "--record", options->record, error) < 0))
        return -1;
    if (first->serial == SERIAL_FILE &&
        check_output(options, "--serial", first->serial_path, error) < 0)
        return -1;
    for (unsigned i = 0; i < first->port_count; i++)
        if (first->ports[i].kind == SERIAL_FILE &&
            check_output(options, first->ports[i].name_length > 0 ? "--port" : "--console",
                         first->ports[i].path, error) < 0)
            return -1;
    if (session_display_check(options, error) < 0)
        return -1;
    if (first->debugcon == NULL)
        return 0;
    if (first->serial == SERIAL_FILE && strcmp(first->debugcon, first->serial_path) == 0)
        return error_set(error, "--debugcon and --serial would both write %s", first->debugcon);
    return check_output(options, "--debugcon", first->debugcon, error);
}

/* Counts the devices through which guests open descriptors, and divides the limit among them. */
static unsigned divide_descriptors(unsigned count, const struct guest_config guests[GUESTS_MAX])
{
    unsigned users = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct guest_config *g = &guests[i];

        users += g->share_count + (g->vsock.cid != 0);
        for (unsigned n = 0; n < g->net_count; n++)
            users += g->nets[n].kind == NET_USER;
    }
    return descriptors_for_each(users);
}

static struct snapshot_folder session_snapshot; /* of --restore, for the whole run */

/* A snapshot may come from somebody else, so the folders that it shares are printed. */
static int restore_shares(const struct guest_config *guest, struct error *error)
{
    unsigned lost[SHARES_MAX];

    if (snapshot_restore_shares(&session_snapshot, guest, lost, error) < 0)
        return -1;
    for (unsigned i = 0; i < guest->share_count; i++) {
        const struct share_config *share = &guest->shares[i];

        console_printf("kvm-vmm: the guest shares %.*s, to %s (tag %s)", (int)share->path_length,
                       share->path, share->read_only ? "read" : "read and write", share->tag);
        if (lost[i] > 0)
            console_printf("kvm-vmm: %u of the files that the guest had open in %.*s no longer "
                           "exist; the guest gets an error when it uses them",
                           lost[i], (int)share->path_length, share->path);
    }
    return 0;
}

int session_files_open(const struct options *options, struct guest_config guests[GUESTS_MAX],
                       struct error *error)
{
    unsigned descriptors;

    for (unsigned i = 0; i < options->count; i++)
        guests[i] = options->guests[i];
    if (options->restore != NULL &&
        (snapshot_open(&session_snapshot, options->restore, error) < 0 ||
         snapshot_configure(&session_snapshot, &guests[0], error) < 0))
        return -1;
    descriptors = divide_descriptors(options->count, guests);
    for (unsigned i = 0; i < options->count; i++) {
        for (unsigned d = 0; d < guests[i].disk_count; d++) {
            guests[i].disks[d].open = disk_open(&guests[i].disks[d], d, error);
            if (guests[i].disks[d].open == NULL ||
                (guests[i].disks[d].origin != NULL &&
                 disk_begin_with(guests[i].disks[d].open, guests[i].disks[d].origin, error) < 0))
                return -1;
        }
        for (unsigned n = 0; n < guests[i].net_count; n++) {
            guests[i].nets[n].descriptors = descriptors;
            guests[i].nets[n].open = net_open(&guests[i].nets[n], i, n, error);
            if (guests[i].nets[n].open == NULL)
                return -1;
        }
        if (guests[i].vsock.cid != 0) {
            guests[i].vsock.descriptors = descriptors;
            guests[i].vsock.open = vsock_host_open(&guests[i].vsock, i, error);
            if (guests[i].vsock.open == NULL)
                return -1;
        }
        if (options->restore != NULL &&
            snapshot_restore_disks(&session_snapshot, &guests[i], error) < 0)
            return -1;
        if (ports_make(i, &guests[i], &guests[i].channels, error) < 0)
            return -1;
    }
    if (session_shares_open(options->count, guests, descriptors, error) < 0)
        return -1;
    return options->restore != NULL ? restore_shares(&guests[0], error) : 0;
}

void session_files_close(const struct options *options, struct guest_config guests[GUESTS_MAX])
{
    for (unsigned i = 0; i < options->count; i++)
        if (guests[i].vsock.open != NULL) /* avoids loading code that most runs do not execute */
            vsock_host_close(guests[i].vsock.open);
}
