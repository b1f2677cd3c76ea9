/* Paths, and the files in the kernel's image; see names.h. */
#include "process/names.h"

#include "common/string.h"
#include "fs/fs.h"
#include "fs/system.h"
#include "kmalloc.h"
#include "process/disk_file.h"
#include "process/proc.h"
#include "process/programs.h"
#include "process/terminal.h"

/* Inode numbers; the last two are the first numbers for the files of /proc and /bin. */
enum { INODE_ROOT = 1, INODE_BIN, INODE_DEV, INODE_PROC, INODE_CONSOLE, INODE_NULL };
enum { INODE_OF_PROC = 100, INODE_PROGRAMS = 200 };

/* A directory of the image: its entries, followed by those of name(), numbered from `first` on. */
struct directory {
    uint32_t inode;
    const struct hleos_entry *entries;
    size_t count;
    const char *(*name)(size_t index); /* NULL at the first index without an entry */
    uint32_t first;
};

static const char *program_name(size_t index)
{
    return programs[index].name;
}

static const struct hleos_entry in_root[] = {{INODE_ROOT, "."},
                                             {INODE_ROOT, ".."},
                                             {INODE_BIN, "bin"},
                                             {INODE_DEV, "dev"},
                                             {INODE_PROC, "proc"}};
static const struct hleos_entry in_proc[] = {{INODE_PROC, "."}, {INODE_ROOT, ".."}};
static const struct hleos_entry in_bin[] = {{INODE_BIN, "."}, {INODE_ROOT, ".."}};
static const struct hleos_entry in_dev[] = {
    {INODE_DEV, "."}, {INODE_ROOT, ".."}, {INODE_CONSOLE, "console"}, {INODE_NULL, "null"}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
static const struct directory directories[] = {
    {INODE_ROOT, in_root, COUNT(in_root), NULL, 0},
    {INODE_BIN, in_bin, COUNT(in_bin), program_name, INODE_PROGRAMS},
    {INODE_DEV, in_dev, COUNT(in_dev), NULL, 0},
    {INODE_PROC, in_proc, COUNT(in_proc), proc_name, INODE_OF_PROC}};

static size_t program_size(const struct program *program)
{
    return (size_t)(program->end - program->file);
}

/* The name and number of entry `index`; NULL after the last. Callers count up from 0 and stop at
 * NULL, so name() is never called for an index after that. */
static const char *entry_at(const struct directory *directory, size_t index, uint32_t *inode)
{
    if (index < directory->count) {
        *inode = directory->entries[index].inode;
        return directory->entries[index].name;
    }
    index -= directory->count;
    *inode = directory->first + (uint32_t)index;
    return directory->name != NULL ? directory->name(index) : NULL;
}

/* NULL if the inode is not a directory. Directories have the first numbers, in the table's
 * order. */
static const struct directory *directory_of(uint32_t inode)
{
    return inode - INODE_ROOT < COUNT(directories) ? &directories[inode - INODE_ROOT] : NULL;
}

static bool is_name(const char *name, const char *text, size_t length)
{
    return *name == *text && strncmp(name, text, length) == 0 && name[length] == '\0';
}

/* The number of the entry with this name, or 0. */
static uint32_t number_of(const struct directory *directory, const char *text, size_t length)
{
    const char *name;

    for (size_t i = 0; i < directory->count; i++)
        if (is_name(directory->entries[i].name, text, length))
            return directory->entries[i].inode;
    for (uint32_t i = 0; directory->name != NULL && (name = directory->name(i)) != NULL; i++)
        if (is_name(name, text, length))
            return directory->first + i;
    return 0;
}

/* The inode number of a path from the root, in the image; 0 if not found. */
static uint32_t find(const char *path)
{
    uint32_t found = *path != '\0' ? INODE_ROOT : 0; /* POSIX.1-2017, 4.13: "" names nothing */

    while (*path != '\0') {
        const struct directory *directory = directory_of(found);
        size_t length = 0;

        if (directory == NULL) /* a slash after the name of a file */
            return 0;
        while (path[length] != '/' && path[length] != '\0')
            length++;
        if (length > 0)
            found = number_of(directory, path, length);
        path += length > 0 ? length : 1;
    }
    return found;
}

static int64_t read_directory(struct file *file, void *to, size_t size)
{
    size_t done = 0;

    sync_mutex_take(&file->mutex);
    while (done < size) {
        struct hleos_entry entry = {.inode = 0};
        const char *name = entry_at(file->object, file->offset, &entry.inode);

        if (size - done < sizeof entry || name == NULL)
            break;
        string_copy(entry.name, name, sizeof entry.name);
        memcpy((char *)to + done, &entry, sizeof entry);
        file->offset++;
        done += sizeof entry;
    }
    sync_mutex_give(&file->mutex);
    return size >= sizeof(struct hleos_entry) ? (int64_t)done : -1;
}

static void stat_directory(struct file *file, struct hleos_stat *stat)
{
    const struct directory *directory = file->object;
    uint64_t count = 0;
    uint32_t inode;

    while (entry_at(directory, count, &inode) != NULL)
        count++;
    *stat = (struct hleos_stat){.type = HLEOS_DIRECTORY,
                                .links = 1,
                                .inode = directory->inode,
                                .size = count * sizeof(struct hleos_entry)};
}

static int64_t read_program(struct file *file, void *to, size_t size)
{
    const struct program *program = file->object;
    size_t left;

    sync_mutex_take(&file->mutex);
    left = file->offset < program_size(program) ? program_size(program) - file->offset : 0;
    size = size < left ? size : left;
    memcpy(to, program->file + file->offset, size);
    file->offset += size;
    sync_mutex_give(&file->mutex);
    return (int64_t)size;
}

static void stat_program(struct file *file, struct hleos_stat *stat)
{
    const struct program *program = file->object;

    *stat = (struct hleos_stat){.type = HLEOS_FILE,
                                .links = 1,
                                .inode = INODE_PROGRAMS + (uint32_t)(program - programs),
                                .size = program_size(program)};
}

static int64_t read_null(struct file *file, void *to, size_t size)
{
    (void)file;
    (void)to;
    (void)size;
    return 0;
}

static int64_t write_null(struct file *file, const void *from, size_t size)
{
    (void)file;
    (void)from;
    return (int64_t)size;
}

static void stat_null(struct file *file, struct hleos_stat *stat)
{
    (void)file;
    *stat = (struct hleos_stat){.type = HLEOS_DEVICE, .links = 1, .inode = INODE_NULL};
}

static const struct file_operations directory_operations = {.read = read_directory,
                                                            .stat = stat_directory},
                                    program_operations = {.read = read_program,
                                                          .stat = stat_program,
                                                          .seekable = true},
                                    null_operations = {
                                        .read = read_null, .write = write_null, .stat = stat_null};

/* NULL also if no device has that number: another system may have made the file system. */
static struct file *open_device(uint32_t device, unsigned how)
{
    bool readable = !(how & HLEOS_OPEN_WRITE);
    bool writable = how & (HLEOS_OPEN_WRITE | HLEOS_OPEN_READ_WRITE);

    if (device == HLEOS_DEVICE_CONSOLE)
        return terminal_file(readable, writable);
    if (device == HLEOS_DEVICE_NULL)
        return file_create(&null_operations, NULL, readable, writable);
    return NULL;
}

/* Opens a file of the image, by a path from the root. */
static struct file *open_own(const char *path, unsigned how)
{
    const unsigned changes =
        HLEOS_OPEN_WRITE | HLEOS_OPEN_READ_WRITE | HLEOS_OPEN_CREATE | HLEOS_OPEN_TRUNCATE;
    uint32_t inode = find(path);
    const struct directory *directory = directory_of(inode);

    if (inode == INODE_CONSOLE)
        return open_device(HLEOS_DEVICE_CONSOLE, how);
    if (inode == INODE_NULL)
        return open_device(HLEOS_DEVICE_NULL, how);
    if (inode == 0 || (how & changes))
        return NULL;
    if (directory != NULL)
        return file_create(&directory_operations, (void *)directory, true, false);
    if (inode < INODE_PROGRAMS)
        return proc_open(inode - INODE_OF_PROC, inode);
    return file_create(&program_operations, (void *)&programs[inode - INODE_PROGRAMS], true, false);
}

/* The inode from which a path starts in the file system, held; NULL if not found. */
static struct inode *begin(struct inode *from)
{
    if (from != NULL)
        return fs_hold(from);
    return system_fs() != NULL ? fs_root(system_fs()) : NULL;
}

struct file *names_open(struct inode *from, const char *path, unsigned how)
{
    struct inode *directory = begin(from);
    struct file *file = NULL;
    int error = FS_NOT_FOUND;
    uint32_t device;

    if (directory != NULL)
        error = disk_file_open(directory, path, how & ~(unsigned)HLEOS_OPEN_CREATE, &file, &device);
    if (error == DISK_FILE_DEVICE)
        file = open_device(device, how);
    if (error == FS_NOT_FOUND && (from == NULL || *path == '/'))
        file = open_own(path, how & ~(unsigned)HLEOS_OPEN_TRUNCATE);
    if (file == NULL && directory != NULL && error != DISK_FILE_DEVICE && (how & HLEOS_OPEN_CREATE))
        (void)!disk_file_open(directory, path, how, &file, &device);
    fs_release(directory);
    return file;
}

static int make(struct inode *from, const char *path, enum hleos_fs_type type, uint32_t device)
{
    struct inode *directory = begin(from);
    int error = directory != NULL ? fs_create(directory, path, type, device, NULL) : -1;

    fs_release(directory);
    return error < 0 ? -1 : 0;
}

int names_make_directory(struct inode *from, const char *path)
{
    return make(from, path, HLEOS_FS_DIRECTORY, 0);
}

int names_make_device(struct inode *from, const char *path, uint64_t device)
{
    if (device != HLEOS_DEVICE_CONSOLE && device != HLEOS_DEVICE_NULL)
        return -1;
    return make(from, path, HLEOS_FS_DEVICE, (uint32_t)device);
}

int names_link(struct inode *from, const char *old, const char *new)
{
    struct inode *directory = begin(from), *inode = NULL;
    int error = directory != NULL ? fs_lookup(directory, old, &inode) : -1;

    if (error == 0)
        error = fs_link(inode, directory, new);
    fs_release(inode);
    fs_release(directory);
    return error < 0 ? -1 : 0;
}

int names_unlink(struct inode *from, const char *path)
{
    struct inode *directory = begin(from);
    int error = directory != NULL ? fs_unlink(directory, path) : -1;

    fs_release(directory);
    return error < 0 ? -1 : 0;
}

bool names_directory(struct inode *from, const char *path, struct inode **found)
{
    struct inode *directory = begin(from);
    struct fs_stat stat;
    int error;

    *found = NULL;
    if (directory == NULL)
        return find(path) == INODE_ROOT;
    error = fs_lookup(directory, path, found);
    if (error == 0)
        error = fs_stat(*found, &stat);
    if (error == 0 && stat.type != HLEOS_FS_DIRECTORY)
        error = FS_NOT_DIRECTORY;
    if (error < 0) {
        fs_release(*found);
        *found = NULL;
    }
    fs_release(directory);
    return error == 0;
}

/* Reads a file on the disk. If it changes meanwhile the bytes are a mix; the loader checks them. */
static bool load_file(struct file *file, size_t most, struct names_bytes *bytes)
{
    struct hleos_stat stat;
    int64_t got = -1;

    file->operations->stat(file, &stat);
    if (stat.type != HLEOS_FILE || stat.size > most || stat.size == 0)
        return false;
    bytes->size = stat.size;
    bytes->at = bytes->copy = kmalloc(stat.size);
    if (bytes->copy != NULL)
        got = file->operations->read(file, bytes->copy, stat.size);
    if (got == (int64_t)stat.size)
        return true;
    kfree(bytes->copy);
    return false;
}

bool names_load(struct inode *from, const char *path, size_t most, struct names_bytes *bytes)
{
    struct file *file = names_open(from, path, HLEOS_OPEN_READ);
    bool good;

    if (file == NULL)
        return false;
    if (file->operations == &program_operations) { /* no copy */
        const struct program *program = file->object;

        *bytes = (struct names_bytes){.at = program->file, .size = program_size(program)};
        good = true;
    } else {
        good = load_file(file, most, bytes);
    }
    file_close(file);
    return good;
}

void names_unload(struct names_bytes *bytes)
{
    kfree(bytes->copy);
}
