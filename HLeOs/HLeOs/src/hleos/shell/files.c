/* Commands that change the system's file system, and print errors; paths start at its root. ls and
 * cat are programs. */
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

/* Writes the words to the file, as one line. */
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
    {"write", "FILE...", "makes a file of the words that follow", write_words},
    {"rm", "PATH...", "removes files and empty directories", rm},
    {"mkdir", "PATH...", "makes directories", make_directory},
    {"fsync", "", "writes all changes to the disk", sync_now},
    {"df", "", "shows the file system's room, log and cache", df},
    {0},
};
