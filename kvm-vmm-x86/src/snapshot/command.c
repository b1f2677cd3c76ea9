/* `kvm-vmm snapshot VERB FOLDER`; see command.h. A program of its own: it waits for files. */
#include "snapshot/command.h"

#include <stdio.h>
#include <string.h>

#include "base/chunk.h"
#include "host/events.h"
#include "host/folder.h"
#include "snapshot/restore.h"

enum { STATUS_OK = 0, STATUS_BAD = 1, STATUS_USAGE = 2 };

static int usage(FILE *to)
{
    fprintf(to, "Usage: kvm-vmm snapshot info|verify FOLDER\n"
                "  info     what the machine is, and the records of its state\n"
                "  verify   compares every file with its sum\n");
    return to == stdout ? STATUS_OK : STATUS_USAGE;
}

static int complain(const char *text)
{
    fprintf(stderr, "kvm-vmm snapshot: %s\n", text);
    return STATUS_BAD;
}

static void print_machine(const struct snapshot_machine *m)
{
    const struct guest_config *c = &m->config;

    printf("written by kvm-vmm %s, format %d\n", m->vmm, SNAPSHOT_FORMAT);
    printf("image  %s\n", c->image);
    printf("vcpus  %u\n", c->cpus);
    printf("memory %llu KiB at %#llx\n", (unsigned long long)(c->memory >> 10),
           (unsigned long long)m->base);
    for (unsigned i = 0; i < c->disk_count; i++)
        printf("disk   %s, %llu bytes%s\n", c->disks[i].path, (unsigned long long)m->disks[i].size,
               c->disks[i].overlay     ? ", with what was written beside it"
               : c->disks[i].read_only ? ", read-only"
                                       : "");
}

static int print_state(const struct snapshot *s, struct error *error)
{
    struct chunk_reader reader = {.bytes = s->state, .size = s->saved.state_size};
    struct chunk chunk;
    int more;

    while ((more = chunk_next(&reader, &chunk, error)) > 0)
        printf("state  %-24s version %u, %zu bytes\n", chunk.name, chunk.version, chunk.size);
    return more;
}

static int verify_one(const struct snapshot *s, const char *name, const struct snapshot_file *file,
                      struct error *error)
{
    uint32_t sum;

    if (folder_sum(s->folder, name, file->size, &sum, error) < 0)
        return -1;
    if (sum != file->sum)
        return error_set(error, "%s/%s is damaged: its sum is %08x, not %08x", s->folder, name, sum,
                         file->sum);
    printf("good   %-12s %08x\n", name, sum);
    return 0;
}

static int verify(const struct snapshot *s, struct error *error)
{
    const struct snapshot_machine *m = &s->machine;

    if (verify_one(s, "state", &m->state, error) < 0 ||
        verify_one(s, "firmware", &m->firmware, error) < 0 ||
        verify_one(s, "ram", &m->ram, error) < 0)
        return -1;
    for (unsigned i = 0; i < m->config.disk_count; i++) {
        char name[FOLDER_NAME_MAX], map[FOLDER_NAME_MAX];

        snprintf(name, sizeof name, "disk%u", i);
        snprintf(map, sizeof map, "disk%u.map", i);
        if (m->config.disks[i].overlay && (verify_one(s, name, &m->disks[i].overlay, error) < 0 ||
                                           verify_one(s, map, &m->disks[i].map, error) < 0))
            return -1;
    }
    return 0;
}

int snapshot_command(int argc, char **argv)
{
    static struct snapshot s;
    struct error error;
    bool sums;
    int result;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout);
    if (argc != 3 || (strcmp(argv[1], "info") != 0 && strcmp(argv[1], "verify") != 0))
        return usage(stderr);
    sums = strcmp(argv[1], "verify") == 0;
    if (events_init(&error) < 0 || snapshot_open(&s, argv[2], &error) < 0)
        return complain(error.text);
    if (!sums)
        print_machine(&s.machine);
    result = sums ? verify(&s, &error) : print_state(&s, &error);
    snapshot_close(&s);
    if (result < 0)
        return complain(error.text);
    return fflush(stdout) == 0 ? STATUS_OK : complain("standard output cannot be written");
}
