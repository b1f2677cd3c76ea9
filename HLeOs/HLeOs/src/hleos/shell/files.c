/* ls, cat and their like, on the system's file system; paths are from its root. */
#include "shell/files.h"

#include <stddef.h>

#include "common/string.h"
#include "fs/fs.h"
#include "fs/system.h"
#include "iostream.h"

static struct inode *root_or_say(void)
{
    struct inode *root = system_fs() != NULL ? fs_root(system_fs()) : NULL;

    if (root == NULL)
        println("there is no file system: no disk has a partition of type %02x",
                HLEOS_FS_PARTITION);
    return root;
}

static void say(const char *path, int64_t error)
{
    if (error < 0)
        println("%s: %s", path, fs_error_text((int)error));
}

/* The inode of a path, held; NULL after a line that says why not. */
static struct inode *find_or_say(const char *path)
{
    struct inode *root = root_or_say(), *inode = NULL;

    if (root == NULL)
        return NULL;
    say(path, fs_lookup(root, path, &inode));
    fs_release(root);
    return inode;
}

static void list_one(struct inode *inode, const char *name)
{
    static const char *const types[] = {
        [HLEOS_FS_FILE] = "file", [HLEOS_FS_DIRECTORY] = "dir", [HLEOS_FS_DEVICE] = "device"};
    struct fs_stat stat;
    int error = fs_stat(inode, &stat);

    if (error < 0)
        say(name, error);
    else
        println("  %-6s %4u %2u %10lu  %s", types[stat.type], stat.inode, stat.links, stat.size,
                name);
}

static void list_directory(struct inode *directory)
{
    struct hleos_fs_entry entry;
    uint64_t offset = 0;
    int more;

    while ((more = fs_entry(directory, &offset, &entry)) > 0) {
        struct inode *inode;
        int error = fs_lookup(directory, entry.name, &inode);

        say(entry.name, error);
        if (error < 0)
            continue;
        list_one(inode, entry.name);
        fs_release(inode);
    }
    say("directory", more);
}

static void ls(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "/";
    struct inode *inode = find_or_say(path);
    struct fs_stat stat;

    if (inode == NULL)
        return;
    if (fs_stat(inode, &stat) == 0 && stat.type == HLEOS_FS_DIRECTORY)
        list_directory(inode);
    else
        list_one(inode, path);
    fs_release(inode);
}

static void cat(int argc, char **argv)
{
    struct inode *inode = argc > 1 ? find_or_say(argv[1]) : NULL;
    char bytes[256];
    uint64_t offset = 0;
    int64_t count;

    if (inode == NULL)
        return;
    while ((count = fs_read(inode, offset, bytes, sizeof bytes)) > 0) {
        iostream_write(bytes, (size_t)count);
        offset += (uint64_t)count;
    }
    say(argv[1], count);
    fs_release(inode);
}

/* The words become the file's one line. */
static void write_line(struct inode *file, const char *path, int argc, char **argv)
{
    int64_t result = fs_truncate(file, 0);
    uint64_t offset = 0;

    for (int i = 2; i < argc && result >= 0; i++) {
        result = fs_write(file, offset, argv[i], strlen(argv[i]));
        if (result >= 0)
            result = fs_write(file, offset += (uint64_t)result, i + 1 < argc ? " " : "\n", 1);
        offset++;
    }
    say(path, result);
}

static void write_words(int argc, char **argv)
{
    struct inode *root = argc > 1 ? root_or_say() : NULL, *file = NULL;
    int error;

    if (root == NULL)
        return;
    error = fs_create(root, argv[1], HLEOS_FS_FILE, 0, &file);
    if (error == FS_EXISTS)
        error = fs_lookup(root, argv[1], &file);
    say(argv[1], error);
    if (error == 0)
        write_line(file, argv[1], argc, argv);
    fs_release(file);
    fs_release(root);
}

static void rm(int argc, char **argv)
{
    struct inode *root = argc > 1 ? root_or_say() : NULL;

    if (root == NULL)
        return;
    for (int i = 1; i < argc; i++)
        say(argv[i], fs_unlink(root, argv[i]));
    fs_release(root);
}

static void make_directory(int argc, char **argv)
{
    struct inode *root = argc > 1 ? root_or_say() : NULL;

    if (root == NULL)
        return;
    for (int i = 1; i < argc; i++)
        say(argv[i], fs_create(root, argv[i], HLEOS_FS_DIRECTORY, 0, NULL));
    fs_release(root);
}

static void sync_now(int argc, char **argv)
{
    struct inode *root = root_or_say();
    int error;

    (void)argc;
    if (root == NULL)
        return;
    error = fs_sync(system_fs());
    if (error < 0)
        say(argv[0], error);
    else
        println("on the disk");
    fs_release(root);
}

static void df(int argc, char **argv)
{
    struct inode *root = root_or_say();
    struct fs_stats stats;

    (void)argc;
    (void)argv;
    if (root == NULL)
        return;
    stats = fs_stats(system_fs());
    println("blocks: %u of %u free; room for %u inodes", stats.free_blocks, stats.blocks,
            stats.inodes);
    println("log: transaction %lu, %lu blocks written", stats.transactions, stats.log_writes);
    println("cache: %lu hits, %lu misses", stats.cache_hits, stats.cache_misses);
    if (stats.error < 0)
        println("read-only: %s", fs_error_text(stats.error));
    fs_release(root);
}

const struct shell_command files_commands[] = {
    {"ls", "[PATH]", "type, inode, links, bytes and name", ls},
    {"cat", "FILE", "shows a file", cat},
    {"write", "FILE...", "makes a file of the words that follow", write_words},
    {"rm", "PATH...", "removes files and empty directories", rm},
    {"mkdir", "PATH...", "makes directories", make_directory},
    {"fsync", "", "writes all changes to the disk", sync_now},
    {"df", "", "the file system's room, log and cache", df},
    {0},
};
