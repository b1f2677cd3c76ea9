/* What is read and what is written; see session_files.h. */
#include "session_files.h"

#include <stdio.h>

#include "host/disk.h"
#include "host/files.h"

static int check_pair(const char *option, const char *written, const char *read,
                      struct error *error)
{
    if (read == NULL || !files_are_one(written, read))
        return 0;
    return error_set(error, "%s %s would overwrite %s, which this run reads", option, written,
                     read);
}

static int check(const struct options *o, const char *option, const char *written,
                 struct error *error)
{
    for (unsigned i = 0; i < o->count; i++) {
        const struct guest_config *g = &o->guests[i];

        if (check_pair(option, written, g->image, error) < 0)
            return -1;
        for (unsigned k = 0; k < g->initrd_count; k++)
            if (check_pair(option, written, g->initrds[k], error) < 0)
                return -1;
        for (unsigned k = 0; k < g->disk_count; k++) {
            char path[4096];

            snprintf(path, sizeof path, "%.*s", (int)g->disks[k].path_length, g->disks[k].path);
            if (check_pair(option, written, path, error) < 0)
                return -1;
        }
    }
    return check_pair(option, written, o->symbols, error);
}

int session_files_check(const struct options *options, struct error *error)
{
    const struct guest_config *first = &options->guests[0];
    char path[4096];

    if (options->log != NULL && check(options, "--log", options->log, error) < 0)
        return -1;
    for (unsigned i = 0; i < options->count && first->serial == SERIAL_FILE; i++) {
        int length = i == 0 ? snprintf(path, sizeof path, "%s", first->serial_path)
                            : snprintf(path, sizeof path, "%s.%u", first->serial_path, i);

        if (length >= (int)sizeof path)
            return error_set(error, "--serial file: a path of %d bytes is too long", length);
        if (check(options, "--serial", path, error) < 0)
            return -1;
        if (options->log != NULL && check_pair("--serial", path, options->log, error) < 0)
            return error_set(error, "--serial and --log would both write %s", path);
    }
    return 0;
}

int session_files_open_disks(const struct options *options, struct guest_config guests[GUESTS_MAX],
                             struct error *error)
{
    for (unsigned i = 0; i < options->count; i++) {
        guests[i] = options->guests[i];
        for (unsigned d = 0; d < guests[i].disk_count; d++) {
            guests[i].disks[d].open = disk_open(&guests[i].disks[d], d, error);
            if (guests[i].disks[d].open == NULL)
                return -1;
        }
    }
    return 0;
}
