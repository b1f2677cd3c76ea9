/* A saved machine, which does not run; see still.h. */
#include "snapshot/still.h"

#include <stdlib.h>
#include <string.h>

#include "common/elf.h"
#include "host/guard.h"
#include "host/ram.h"
#include "host/ram_saved.h"

enum { NAMES_MAX_GIB = 2 };

/* Finds the page of lines that Linux keeps for readers of its dumps
 * (Documentation/admin-guide/kdump/vmcoreinfo.rst). */
static void find_linux_notes(struct snapshot_still *still)
{
    static const char first[] = "OSRELEASE=";

    for (unsigned i = 0; i < still->memory.count && still->linux_notes == NULL; i++) {
        const struct memory_slot *slot = &still->memory.slots[i];

        for (uint64_t at = 0; at < slot->size; at += PAGE_SIZE) {
            const char *page = (const char *)slot->host + at;
            size_t length;

            if (memcmp(page, first, sizeof first - 1) != 0)
                continue;
            length = strnlen(page, PAGE_SIZE);
            if (memmem(page, length, "\nPAGESIZE=", 10) == NULL)
                continue;
            still->linux_notes = page;
            still->linux_notes_size = length;
            break;
        }
    }
}

/* The kernel's offset from its link address (KASLR): the line KERNELOFFSET=, in hex. */
static uint64_t linux_offset(const struct snapshot_still *still)
{
    static const char key[] = "\nKERNELOFFSET=";
    char digits[17] = {0};
    const char *at = still->linux_notes == NULL
                         ? NULL
                         : memmem(still->linux_notes, still->linux_notes_size, key, sizeof key - 1);

    if (at == NULL)
        return 0;
    at += sizeof key - 1;
    for (size_t i = 0;
         i < sizeof digits - 1 && at + i < still->linux_notes + still->linux_notes_size; i++)
        digits[i] = at[i];
    return strtoull(digits, NULL, 16);
}

/* Whether the image is older than the snapshot: one that was changed since may have other symbols.
 * A file of --symbols, as for Linux, is not checked. */
static bool is_older(const struct snapshot_still *still)
{
    const struct timespec *t = &still->image.changed;

    return still->image.fd == 0 ||
           (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec <= still->folder.machine.taken;
}

static int read_names(struct snapshot_still *still, const char *names, struct error *error)
{
    const struct snapshot_machine *m = &still->folder.machine;
    const char *path = names != NULL ? names : m->config.image;
    struct error ignored;
    int loaded;

    still->symbols.bias = m->mode == MODE_REAL    ? m->base /* start of the code segment */
                          : m->mode == MODE_LINUX ? linux_offset(still)
                                                  : 0;
    if (names == NULL && (path[0] == '\0' || m->mode >= MODE_LINUX))
        return 0;
    loaded = names != NULL ? file_load(&still->image, path, NAMES_MAX_GIB * GIB, error)
                           : file_load_plain(&still->image, path, NAMES_MAX_GIB * GIB, &ignored);
    if (loaded < 0) {
        still->image = (struct file){0};
        still->no_names = "its image cannot be read";
        return names != NULL ? -1 : 0;
    }
    if (names == NULL && !elf_has_magic(still->image.bytes, still->image.size))
        return 0;
    if (names == NULL && !is_older(still)) {
        still->no_names = "its image was changed after the guest was saved";
        return 0;
    }
    return symbols_read(&still->symbols, still->image.bytes, still->image.size, path,
                        names != NULL ? error : &ignored) < 0 &&
                   names != NULL
               ? -1
               : 0;
}

static int map_memory(struct snapshot_still *still, struct error *error)
{
    const struct snapshot_folder *f = &still->folder;

    memory_init(&still->memory, f->machine.base, f->machine.config.memory, NULL);
    if (ram_map_saved(&still->memory, f->saved.layers, f->machine.rom, error) < 0)
        return -1;
    guard_add(&still->memory);
    return ram_read_saved(&still->memory, f->saved.layers, f->saved.layer_count, error);
}

int snapshot_still_open(struct snapshot_still *still, const char *path, const char *names,
                        struct error *error)
{
    *still = (struct snapshot_still){0};
    guard_init();
    if (snapshot_open(&still->folder, path, error) < 0)
        return -1;
    still->cpu_count = still->folder.machine.config.cpus;
    still->cpus = calloc(still->cpu_count, sizeof *still->cpus);
    if (still->cpus == NULL)
        error_set(error, "out of memory");
    else if (snapshot_cpus_read(still->cpus, still->cpu_count, still->folder.state,
                                still->folder.saved.state_size, error) == 0 &&
             map_memory(still, error) == 0) {
        for (unsigned i = 0; i < still->cpu_count; i++)
            still->cpus[i].registers.state.memory = &still->memory;
        if (still->folder.machine.mode == MODE_LINUX)
            find_linux_notes(still);
        if (read_names(still, names, error) == 0)
            return 0;
    }
    snapshot_still_close(still);
    return -1;
}

int snapshot_still_check(const struct snapshot_still *still, struct error *error)
{
    gpa_t at;

    return guard_lost(&still->memory, &at)
               ? error_set(error, "%s was cut short while it was read", still->folder.layers[0].ram)
               : 0;
}

void snapshot_still_close(struct snapshot_still *still)
{
    symbols_release(&still->symbols);
    file_release(&still->image);
    guard_remove(&still->memory);
    ram_unmap(&still->memory);
    free(still->cpus);
    snapshot_close(&still->folder);
    *still = (struct snapshot_still){0};
}

const struct symbols *snapshot_still_names(const struct snapshot_still *still)
{
    return still->symbols.count > 0 ? &still->symbols : NULL;
}
