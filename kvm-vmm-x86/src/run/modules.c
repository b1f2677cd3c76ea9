/* Kernel modules; see modules.h, and modules.dep(5). */
#include "run/modules.h"

#include <errno.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "host/files/files.h"

/* Largest size of a list of modules, and of an unpacked module. */
#define LIST_MAX   (UINT64_C(64) << 20)
#define MODULE_MAX ((size_t)64 << 20)

enum { MODULES_MAX = 64, NAME_MAX_ = 64, PATH_MAX_ = 512 };

struct set {
    struct cpio *cpio;
    const struct run_kernel *kernel;
    char *list; /* modules.dep, ended by a zero byte */
    char *builtin;
    char names[MODULES_MAX][NAME_MAX_];
    unsigned count;
};

/* Kernel and files use `-` and `_` interchangeably. */
static void name_of(char name[NAME_MAX_], const char *path, size_t length)
{
    const char *slash = memrchr(path, '/', length), *start = slash != NULL ? slash + 1 : path;
    size_t size = length - (size_t)(start - path), i = 0;

    for (; i < size && i < NAME_MAX_ - 1 && start[i] != '.'; i++)
        name[i] = start[i] == '-' ? '_' : start[i];
    name[i] = '\0';
}

static char *read_list(const struct run_kernel *kernel, const char *file, struct error *error)
{
    char path[PATH_MAX + 32];
    struct file content = {0};
    struct stat status;
    bool empty; /* a kernel with everything built in */
    char *text;

    snprintf(path, sizeof path, "%s/%s", kernel->modules, file);
    empty = stat(path, &status) == 0 && status.st_size == 0;

    if (!empty && file_load(&content, path, LIST_MAX, error) < 0)
        return NULL;
    text = malloc(content.size + 1);
    if (text != NULL) {
        if (!empty)
            memcpy(text, content.bytes, content.size);
        text[content.size] = '\0';
    } else {
        error_set(error, "%s: out of memory", path);
    }
    file_release(&content);
    return text;
}

/* The line of a module in a list of paths; NULL: not listed. */
static const char *line_of(const char *list, const char *wanted)
{
    char name[NAME_MAX_];

    while (list != NULL && *list != '\0') {
        name_of(name, list, strcspn(list, ":\n"));
        if (strcmp(name, wanted) == 0)
            return list;
        list = strchr(list, '\n');
        list = list != NULL ? list + 1 : NULL;
    }
    return NULL;
}

/* --- packed modules --- */

static size_t unpack_xz(const struct file *in, uint8_t *out, size_t room)
{
    uint64_t limit = UINT64_MAX;
    size_t from = 0, to = 0;

    return lzma_stream_buffer_decode(&limit, 0, NULL, in->bytes, &from, in->size, out, &to, room) ==
                   LZMA_OK
               ? to
               : 0;
}

static size_t unpack_zstd(const struct file *in, uint8_t *out, size_t room)
{
    size_t n = ZSTD_decompress(out, room, in->bytes, in->size);

    return ZSTD_isError(n) ? 0 : n;
}

static size_t unpack_gzip(const struct file *in, uint8_t *out, size_t room)
{
    z_stream s = {
        .next_in = in->bytes, .avail_in = (uInt)in->size, .next_out = out, .avail_out = (uInt)room};
    size_t n = 0;

    if (inflateInit2(&s, 15 + 16) != Z_OK) /* with gzip's header */
        return 0;
    if (inflate(&s, Z_FINISH) == Z_STREAM_END)
        n = s.total_out;
    inflateEnd(&s);
    return n;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Adds a module's file, unpacked for the kernel. The unpacked size is not always known: the buffer
 * grows until it suffices. */
static int put_module(struct set *set, const char *path, const char *name, struct error *error)
{
    size_t (*unpack)(const struct file *, uint8_t *, size_t) =
        ends_with(path, ".xz")    ? unpack_xz
        : ends_with(path, ".zst") ? unpack_zstd
        : ends_with(path, ".gz")  ? unpack_gzip
                                  : NULL;
    char place[NAME_MAX_ + 16];
    struct file file;
    size_t size = 0;

    if (file_load(&file, path, MODULE_MAX, error) < 0)
        return -1;
    snprintf(place, sizeof place, "modules/%s.ko", name);
    if (unpack == NULL)
        cpio_file(set->cpio, place, 0644, file.bytes, size = file.size);
    for (size_t room = 4 * file.size; size == 0 && room <= MODULE_MAX; room *= 4) {
        uint8_t *bytes = malloc(room);

        size = bytes == NULL ? 0 : unpack(&file, bytes, room);
        if (size > 0)
            cpio_file(set->cpio, place, 0644, bytes, size);
        free(bytes);
    }
    file_release(&file);
    return size > 0 ? 0 : error_set(error, "%s: a damaged module", path);
}

/* --- */

static bool has(const struct set *set, const char *name)
{
    for (unsigned i = 0; i < set->count; i++)
        if (strcmp(set->names[i], name) == 0)
            return true;
    return false;
}

static int add_path(struct set *set, const char *path, size_t length, struct error *error)
{
    char name[NAME_MAX_], file[PATH_MAX + PATH_MAX_];

    name_of(name, path, length);
    if (has(set, name))
        return 0;
    if (set->count == MODULES_MAX || length >= PATH_MAX_)
        return error_set(error, "%s/modules.dep: too many modules, or too long a name",
                         set->kernel->modules);
    if (path[0] == '/')
        snprintf(file, sizeof file, "%.*s", (int)length, path);
    else
        snprintf(file, sizeof file, "%s/%.*s", set->kernel->modules, (int)length, path);
    strcpy(set->names[set->count++], name);
    return put_module(set, file, name, error);
}

/* A module's dependencies follow it in its line; the last one is loaded first. */
static int add(struct set *set, const char *wanted, struct error *error)
{
    bool optional = *wanted == '?';
    const char *line, *colon, *at, *end;

    wanted += optional;
    line = line_of(set->list, wanted);
    if (optional && line == NULL)
        return 0;
    if (has(set, wanted) || line_of(set->builtin, wanted) != NULL)
        return 0;
    if (line == NULL)
        return error_set(error,
                         "this kernel (%s) has no module %s, in %s: install the whole kernel "
                         "package, or build it in (make %s)",
                         set->kernel->version, wanted, set->kernel->modules,
                         "kvm_guest.config with CONFIG_VIRTIO_FS, CONFIG_OVERLAY_FS, "
                         "CONFIG_VIRTIO_MMIO, CONFIG_VIRTIO_CONSOLE, CONFIG_VIRTIO_BLK");
    colon = strchr(line, ':');
    end = strchrnul(line, '\n');
    if (colon == NULL || colon > end)
        return error_set(error, "%s/modules.dep is damaged", set->kernel->modules);
    for (at = end; at > colon + 1;) {
        const char *start = at;

        while (start > colon + 1 && start[-1] != ' ')
            start--;
        if (start < at && add_path(set, start, (size_t)(at - start), error) < 0)
            return -1;
        at = start - (start > colon + 1);
    }
    return add_path(set, line, (size_t)(colon - line), error);
}

int run_modules_add(struct cpio *cpio, const struct run_kernel *kernel, const char *const wanted[],
                    struct error *error)
{
    struct set set = {.cpio = cpio, .kernel = kernel};
    struct error ignored;
    char order[MODULES_MAX * (NAME_MAX_ + 4)] = "";
    int result = 0;

    if (kernel->modules[0] == '\0')
        return 0;
    set.list = read_list(kernel, "modules.dep", error);
    if (set.list == NULL)
        return -1;
    set.builtin = read_list(kernel, "modules.builtin", &ignored);
    for (unsigned i = 0; wanted[i] != NULL && result == 0; i++)
        result = add(&set, wanted[i], error);
    for (unsigned i = 0; i < set.count; i++) {
        strcat(order, set.names[i]);
        strcat(order, ".ko\n");
    }
    cpio_file(cpio, "modules/order", 0644, order, strlen(order));
    free(set.list);
    free(set.builtin);
    return result;
}
