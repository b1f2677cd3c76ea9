/* Options that give a guest devices; see devices.h. */
#include "options/devices.h"

#include <string.h>

/* Where a port leads: false if it is not one of those. */
static bool take_destination(const char *text, enum serial_kind *kind, const char **where)
{
    static const struct {
        const char *word;
        enum serial_kind kind;
    } kinds[] = {{"stdio", SERIAL_STDIO},
                 {"pty", SERIAL_PTY},
                 {"file:", SERIAL_FILE},
                 {"unix:", SERIAL_UNIX}};
    bool taken = false;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !taken; i++) {
        const char *path = text + strlen(kinds[i].word);
        bool has_path = kinds[i].kind == SERIAL_FILE || kinds[i].kind == SERIAL_UNIX;

        taken =
            strncmp(text, kinds[i].word, strlen(kinds[i].word)) == 0 && (*path != '\0') == has_path;
        *kind = kinds[i].kind;
        *where = has_path ? path : NULL;
    }
    return taken;
}

int devices_parse_serial(struct options *o, const char *text, struct error *error)
{
    return take_destination(text, &o->guests[0].serial, &o->guests[0].serial_path)
               ? 0
               : error_set(error, "--serial %s: it takes stdio, pty, file:PATH or unix:PATH", text);
}

static int add_port(struct guest_config *guest, const struct port_config *port, struct error *error)
{
    if (guest->port_count == PORTS_MAX)
        return error_set(error, "--port, --console: more than %d", PORTS_MAX);
    guest->ports[guest->port_count++] = *port;
    return 0;
}

int devices_parse_console(struct options *o, const char *text, struct error *error)
{
    struct port_config port = {.name = text};

    if (!take_destination(text, &port.kind, &port.path))
        return error_set(error, "--console %s: it takes stdio, pty, file:PATH or unix:PATH", text);
    for (unsigned i = 0; i < o->guests[0].port_count; i++)
        if (o->guests[0].ports[i].name_length == 0)
            return error_set(error, "--console %s: the guest has one already", text);
    return add_port(&o->guests[0], &port, error);
}

int devices_parse_port(struct options *o, const char *text, struct error *error)
{
    const char *mark = strchr(text, '=');
    struct port_config port = {.name = text};

    if (mark == NULL || mark == text || !take_destination(mark + 1, &port.kind, &port.path) ||
        port.kind == SERIAL_STDIO)
        return error_set(error, "--port %s: it takes NAME=pty, NAME=file:PATH or NAME=unix:PATH",
                         text);
    port.name_length = (size_t)(mark - text);
    if (port.name_length > PORT_NAME_MAX)
        return error_set(error, "--port %s: the name has more than %d bytes", text, PORT_NAME_MAX);
    for (unsigned i = 0; i < o->guests[0].port_count; i++)
        if (o->guests[0].ports[i].name_length == port.name_length &&
            memcmp(o->guests[0].ports[i].name, text, port.name_length) == 0)
            return error_set(error, "--port %s: there is one of that name already", text);
    return add_port(&o->guests[0], &port, error);
}

/* A word behind a comma, `length` bytes; true if it is one of ours. */
static bool take_disk_word(struct disk_config *disk, const char *word, size_t length)
{
    static const struct {
        const char *word;
        uint32_t size;
    } blocks[] = {
        {"block=512", 512}, {"block=1024", 1024}, {"block=2048", 2048}, {"block=4096", 4096}};

    if (length == 2 && memcmp(word, "ro", 2) == 0)
        disk->read_only = true;
    else if (length == 7 && memcmp(word, "overlay", 7) == 0)
        disk->overlay = true;
    else if (length > 3 && length < 3 + sizeof disk->id && memcmp(word, "id=", 3) == 0)
        memcpy(disk->id, word + 3, length - 3);
    else {
        size_t i = 0;

        while (i < sizeof blocks / sizeof blocks[0] &&
               (strlen(blocks[i].word) != length || memcmp(word, blocks[i].word, length) != 0))
            i++;
        if (i == sizeof blocks / sizeof blocks[0])
            return false;
        disk->block_size = blocks[i].size;
    }
    return true;
}

/* FILE[,WORD]...: words are taken from the end on, so that a file's name may have commas. */
int devices_parse_disk(struct options *o, const char *text, struct error *error)
{
    struct guest_config *guest = &o->guests[0];
    struct disk_config disk = {.path = text, .path_length = strlen(text)};
    const char *comma;

    if (guest->disk_count == DISKS_MAX)
        return error_set(error, "--disk %s: more than %d", text, DISKS_MAX);
    while ((comma = memrchr(text, ',', disk.path_length)) != NULL &&
           take_disk_word(&disk, comma + 1, disk.path_length - (size_t)(comma + 1 - text)))
        disk.path_length = (size_t)(comma - text);
    if (disk.path_length == 0)
        return error_set(error, "--disk %s: the name of a file is missing", text);
    if (disk.read_only && disk.overlay)
        return error_set(error, "--disk %s: ro and overlay exclude each other", text);
    guest->disks[guest->disk_count++] = disk;
    return 0;
}
