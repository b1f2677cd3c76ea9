/* Checks that the files of a command line exist; see session/look.h. */
#include "session/look.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "host/files/files.h"
#include "vm/guest_files.h"

/* Checks the path in the first `length` bytes of a text. */
static int look_at_part(const char *text, size_t length, struct error *error)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.*s", (int)length, text);
    return file_look(path, error);
}

/* An output file is created if necessary, so only its folder must exist. */
static int look_for_folder(const char *path, struct error *error)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;

    return slash == NULL || slash == path ? 0 : look_at_part(path, (size_t)(slash - path), error);
}

static int look_at_guest(const struct guest_config *g, struct error *error)
{
    if ((g->image != NULL && file_look(g->image, error) < 0) ||
        (g->kernel != NULL && file_look(g->kernel, error) < 0))
        return -1;
    for (unsigned i = 0; i < g->initrd_count; i++) {
        const char *mark = guest_files_initrd_mark(g->initrds[i]);
        size_t length = mark != NULL ? (size_t)(mark - g->initrds[i]) : strlen(g->initrds[i]);

        if (look_at_part(g->initrds[i], length, error) < 0)
            return -1;
    }
    for (unsigned i = 0; i < g->fw_file_count; i++)
        if (file_look(strchr(g->fw_files[i], '=') + 1, error) < 0)
            return -1;
    for (unsigned i = 0; i < g->disk_count; i++)
        if (strncmp(g->disks[i].path, "nbd:", 4) != 0 &&
            look_at_part(g->disks[i].path, g->disks[i].path_length, error) < 0)
            return -1;
    for (unsigned i = 0; i < g->share_count; i++)
        if (look_at_part(g->shares[i].path, g->shares[i].path_length, error) < 0)
            return -1;
    for (unsigned i = 0; i < g->port_count; i++)
        if (g->ports[i].kind == SERIAL_FILE && look_for_folder(g->ports[i].path, error) < 0)
            return -1;
    if (g->serial == SERIAL_FILE && look_for_folder(g->serial_path, error) < 0)
        return -1;
    return look_for_folder(g->debugcon, error);
}

int session_look(const struct options *options, struct error *error)
{
    if (options->restore != NULL)
        return file_look(options->restore, error);
    for (unsigned i = 0; i < options->count; i++)
        if (look_at_guest(&options->guests[i], error) < 0)
            return -1;
    if (options->symbols != NULL && file_look(options->symbols, error) < 0)
        return -1;
    if (options->replay != NULL && file_look(options->replay, error) < 0)
        return -1;
    return look_for_folder(options->log, error) < 0 ? -1 : look_for_folder(options->record, error);
}
