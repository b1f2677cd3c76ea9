/* `kvm-vmm snapshot VERB FOLDER`; see command.h. It is its own program, without an event loop, and
 * may block on files. */
#include "snapshot/command.h"

#include <stdio.h>
#include <string.h>

#include "base/chunk.h"
#include "host/events.h"
#include "host/files/folder.h"
#include "host/ram_saved.h"
#include "host/terminal.h"
#include "host/zydis.h"
#include "snapshot/diff.h"
#include "snapshot/gdb.h"
#include "snapshot/restore.h"
#include "snapshot/still.h"
#include "snapshot/vmcore.h"
#include "watch/explain/page.h"

enum { STATUS_OK = 0, STATUS_BAD = 1, STATUS_USAGE = 2 };

static int usage(FILE *to)
{
    fprintf(
        to,
        "Usage: kvm-vmm snapshot info FOLDER            the machine, and records of its state\n"
        "       kvm-vmm snapshot verify FOLDER          compares every file with its checksum\n"
        "       kvm-vmm snapshot explain FOLDER         where each vCPU is: the explainer's page\n"
        "       kvm-vmm snapshot diff FOLDER FOLDER     pages, records and disks that differ\n"
        "       kvm-vmm snapshot gdb FOLDER             speaks to gdb: target remote | COMMAND\n"
        "       kvm-vmm snapshot vmcore FOLDER FILE     an ELF core file, for gdb and crash\n"
        "  --symbols FILE   of explain and diff: names from this ELF file, not from the image\n");
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
               c->disks[i].overlay     ? ", with its overlay"
               : c->disks[i].read_only ? ", read-only"
                                       : "");
    for (unsigned i = 0; i < c->share_count; i++)
        printf("share  %s%s, as %s\n", c->shares[i].path,
               c->shares[i].read_only ? ", read-only" : "", c->shares[i].tag);
    if (m->packed)
        printf("ram    packed by zstd\n");
}

/* Prints the layers, from the lowest one, which has all of the memory. */
static void print_layers(const struct snapshot_folder *s)
{
    for (unsigned i = 0; i + 1 < s->layer_count; i++)
        printf("base   %s\n", s->below[i].folder);
    if (s->layer_count > 1)
        printf("ram    %llu pages that differ from the base\n",
               (unsigned long long)ram_saved_pages(s->below[s->layer_count - 1].pages,
                                                   s->machine.ram.size / PAGE_SIZE));
}

static int print_state(const struct snapshot_folder *s, struct error *error)
{
    struct chunk_reader reader = {.bytes = s->state, .size = s->saved.state_size};
    struct chunk chunk;
    int more;

    while ((more = chunk_next(&reader, &chunk, error)) > 0)
        printf("state  %-24s version %u, %zu bytes\n", chunk.name, chunk.version, chunk.size);
    return more;
}

static int verify_one(const char *folder, const char *name, const struct snapshot_file *file,
                      bool packed, struct error *error)
{
    uint32_t sum;

    if ((packed ? folder_sum_packed : folder_sum)(folder, name, file->size, &sum, error) < 0)
        return -1;
    if (snapshot_same_sum(folder, name, file, sum, error) < 0)
        return -1;
    printf("good   %-12s %08x\n", name, sum);
    return 0;
}

/* Checks the memory of the snapshot and of all folders below it. */
static int verify_memory(const struct snapshot_folder *s, struct error *error)
{
    for (unsigned i = 0; i < s->layer_count; i++) {
        const struct snapshot_layer *l = &s->below[i];
        struct snapshot_file ram = l->sum;

        if (s->layer_count > 1)
            printf("in     %s\n", l->folder);
        if (l->packed)
            ram.size = ram_saved_pages(l->pages, ram.size / PAGE_SIZE) * PAGE_SIZE;
        if (verify_one(l->folder, l->packed ? "ram.zst" : "ram", &ram, l->packed, error) < 0)
            return -1;
        if (l->pages != NULL) /* its checksum was compared when it was read */
            printf("good   ram.map\n");
    }
    return 0;
}

static int verify(const struct snapshot_folder *s, struct error *error)
{
    const struct snapshot_machine *m = &s->machine;

    if (verify_memory(s, error) < 0 ||
        verify_one(s->folder, "state", &m->state, false, error) < 0 ||
        verify_one(s->folder, "firmware", &m->firmware, false, error) < 0)
        return -1;
    for (unsigned i = 0; i < m->config.disk_count; i++) {
        char name[FOLDER_NAME_MAX], map[FOLDER_NAME_MAX];

        snprintf(name, sizeof name, "disk%u", i);
        snprintf(map, sizeof map, "disk%u.map", i);
        if (m->config.disks[i].overlay &&
            (verify_one(s->folder, name, &m->disks[i].overlay, false, error) < 0 ||
             verify_one(s->folder, map, &m->disks[i].map, false, error) < 0))
            return -1;
    }
    for (unsigned i = 0; i < m->config.share_count; i++) {
        char name[FOLDER_NAME_MAX];

        snprintf(name, sizeof name, "share%u", i);
        if (verify_one(s->folder, name, &m->shares[i], false, error) < 0)
            return -1;
    }
    return 0;
}

/* --- verbs --- */

struct request {
    const char *first, *second; /* a folder; for some verbs a second folder, or a file */
    const char *names;          /* --symbols */
};

static int on_info(const struct request *r, struct error *error)
{
    static struct snapshot_folder s;
    int result = snapshot_open(&s, r->first, error);

    if (result < 0)
        return -1;
    print_machine(&s.machine);
    print_layers(&s);
    result = print_state(&s, error);
    snapshot_close(&s);
    return result;
}

static int on_verify(const struct request *r, struct error *error)
{
    static struct snapshot_folder s;
    int result = snapshot_open(&s, r->first, error);

    if (result < 0)
        return -1;
    result = verify(&s, error);
    snapshot_close(&s);
    return result;
}

static void explain_cpu(const struct snapshot_still *still, unsigned id)
{
    static char bytes[PAGE_TEXT];
    const struct snapshot_cpu *cpu = &still->cpus[id];
    struct text text = text_in(bytes, sizeof bytes);
    struct page page = {.snapshot = &cpu->registers.state,
                        .wide = snapshot_is_long(&cpu->registers.state),
                        .symbols = snapshot_still_names(still),
                        .no_symbols = still->no_names,
                        .interrupts = &cpu->interrupts};

    text_add(&text, "vCPU %u%s\n", id, snapshot_cpu_state(cpu));
    page_print(&text, &page);
    fputs(bytes, stdout);
}

static int on_explain(const struct request *r, struct error *error)
{
    static struct snapshot_still still;
    int result = snapshot_still_open(&still, r->first, r->names, error);

    if (result < 0)
        return -1;
    zydis_load();
    for (unsigned i = 0; i < still.cpu_count; i++)
        explain_cpu(&still, i);
    result = snapshot_still_check(&still, error);
    snapshot_still_close(&still);
    return result;
}

static int on_diff(const struct request *r, struct error *error)
{
    static struct snapshot_still a, b;
    int result = -1;

    if (snapshot_still_open(&a, r->first, r->names, error) < 0)
        return -1;
    if (snapshot_still_open(&b, r->second, NULL, error) == 0) {
        result = snapshot_diff_print(&a, &b, error);
        if (result == 0 &&
            (snapshot_still_check(&a, error) < 0 || snapshot_still_check(&b, error) < 0))
            result = -1;
        snapshot_still_close(&b);
    }
    snapshot_still_close(&a);
    return result;
}

static int on_gdb(const struct request *r, struct error *error)
{
    static struct snapshot_still still;
    int result;

    if (terminal_is(FILE_STDIN))
        return error_set(error,
                         "this is for gdb, not for a terminal: target remote | kvm-vmm snapshot "
                         "gdb %s",
                         r->first);
    result = snapshot_still_open(&still, r->first, NULL, error);
    if (result < 0)
        return -1;
    zydis_load();
    snapshot_gdb_serve(&still);
    result = snapshot_still_check(&still, error);
    snapshot_still_close(&still);
    return result;
}

static int on_vmcore(const struct request *r, struct error *error)
{
    static struct snapshot_still still;
    int result = snapshot_still_open(&still, r->first, NULL, error);

    if (result < 0)
        return -1;
    result = snapshot_vmcore_write(&still, r->second, error);
    if (result == 0 && (result = snapshot_still_check(&still, error)) < 0)
        (void)remove(r->second);
    snapshot_still_close(&still);
    return result;
}

struct verb {
    const char *name;
    bool has_second, has_names;
    int (*run)(const struct request *request, struct error *error);
};

static const struct verb verbs[] = {
    {"info", false, false, on_info},      {"verify", false, false, on_verify},
    {"explain", false, true, on_explain}, {"diff", true, true, on_diff},
    {"gdb", false, false, on_gdb},        {"vmcore", true, false, on_vmcore},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

int snapshot_command(int argc, char **argv)
{
    struct request request = {0};
    const struct verb *verb;
    struct error error;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout);
    verb = argc > 1 ? find_verb(argv[1]) : NULL;
    if (verb == NULL)
        return usage(stderr);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--symbols") == 0 && verb->has_names && i + 1 < argc)
            request.names = argv[++i];
        else if (argv[i][0] == '-')
            return usage(stderr);
        else if (request.first == NULL)
            request.first = argv[i];
        else if (request.second == NULL && verb->has_second)
            request.second = argv[i];
        else
            return usage(stderr);
    }
    if (request.first == NULL || (verb->has_second && request.second == NULL))
        return usage(stderr);
    if (events_init(&error) < 0 || verb->run(&request, &error) < 0)
        return complain(error.text);
    return fflush(stdout) == 0 ? STATUS_OK : complain("standard output cannot be written");
}
