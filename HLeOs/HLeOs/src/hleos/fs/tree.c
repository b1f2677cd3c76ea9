/*
 * Names: paths, and the calls that change the tree; see fs.h. These calls hold the names mutex, so
 * that no two of them wait for each other's directories. A path is walked before the call of the
 * log begins, because the release of an inode on the way may need a call of its own.
 */
#include "common/string.h"
#include "fs/alloc.h"
#include "fs/directory.h"
#include "fs/fs.h"
#include "fs/inode.h"

enum { LINKS_MAX = UINT16_MAX };

struct name {
    const char *text;
    size_t length; /* 0: the path has ended */
};

/* Takes the next name of the path. */
static int next_name(const char **path, struct name *name)
{
    while (**path == '/')
        (*path)++;
    name->text = *path;
    while (**path != '/' && **path != '\0')
        (*path)++;
    name->length = (size_t)(*path - name->text);
    return name->length > HLEOS_FS_NAME_MAX ? FS_NAME : 0;
}

static int lock_directory(struct inode *inode)
{
    int error = inode_lock(inode);

    if (error == 0 && inode->disk.type != HLEOS_FS_DIRECTORY) {
        inode_unlock(inode);
        error = FS_NOT_DIRECTORY;
    }
    return error;
}

/* Finds and holds the inode of a name while the directory is locked, so that its last name and last
 * reference cannot go in between. */
static int enter(struct inode *directory, struct name name, struct inode **found)
{
    uint64_t offset;
    uint32_t number;
    int error = lock_directory(directory);

    if (error < 0)
        return error;
    error = directory_find(directory, name.text, name.length, &number, &offset);
    if (error == 0)
        error = inode_get(directory->fs, number, found);
    inode_unlock(directory);
    return error;
}

/* Walks to the end of the path, or with `last` to the directory of its last name, which need not
 * exist. `found` is held. */
static int walk(struct inode *from, const char *path, struct name *last, struct inode **found)
{
    struct inode *at = *path == '/' ? fs_root(from->fs) : fs_hold(from), *below;
    struct name name, after;
    int error = at == NULL ? FS_NO_MEMORY : next_name(&path, &name);

    while (error == 0 && name.length > 0) {
        error = next_name(&path, &after);
        if (error < 0 || (last != NULL && after.length == 0))
            break;
        error = enter(at, name, &below);
        if (error == 0) {
            fs_release(at);
            at = below;
            name = after;
        }
    }
    if (error < 0) {
        fs_release(at);
        return error;
    }
    if (last != NULL)
        *last = name;
    *found = at;
    return 0;
}

int fs_lookup(struct inode *from, const char *path, struct inode **inode)
{
    struct inode *found;
    int error = *path == '\0' ? FS_NAME : walk(from, path, NULL, &found);

    if (error < 0)
        return error;
    /* The lock also checks that the inode can be read. Only a directory may have a slash behind it:
     * POSIX.1-2017, 4.13. */
    error = path[strlen(path) - 1] == '/' ? lock_directory(found) : inode_lock(found);
    if (error < 0) {
        fs_release(found);
        return error;
    }
    inode_unlock(found);
    *inode = found;
    return 0;
}

/* True for a name that can be made or removed: not "." or "..". */
static bool is_proper(struct name name)
{
    return name.length > 0 && !(name.length == 1 && name.text[0] == '.') &&
           !(name.length == 2 && name.text[0] == '.' && name.text[1] == '.');
}

/* Begins a change of the tree: takes the names mutex, finds the directory, begins a call of the
 * log, and locks the directory. After an error nothing is held. */
static int change_begin(struct inode *from, const char *path, struct name *name,
                        struct inode **directory)
{
    struct fs *fs = from->fs;
    int error;

    sync_mutex_take(&fs->names);
    error = walk(from, path, name, directory);
    if (error < 0)
        goto names;
    error = is_proper(*name) ? log_begin(&fs->log) : FS_NAME;
    if (error < 0)
        goto directory;
    error = lock_directory(*directory);
    if (error == 0)
        return 0;
    (void)log_end(&fs->log, error);
directory:
    fs_release(*directory);
names:
    sync_mutex_give(&fs->names);
    return error;
}

static int change_end(struct inode *directory, int error)
{
    struct fs *fs = directory->fs;

    inode_unlock(directory);
    (void)log_end(&fs->log, error);
    fs_release(directory);
    sync_mutex_give(&fs->names);
    return error;
}

/* 0 if the name can be made, else an error: FS_EXISTS, or FS_NOT_FOUND in a removed directory. */
static int check_absent(struct inode *directory, struct name name)
{
    uint32_t number;
    uint64_t offset;
    int error = directory_find(directory, name.text, name.length, &number, &offset);

    if (error == FS_NOT_FOUND)
        return directory->disk.links > 0 ? 0 : FS_NOT_FOUND;
    return error == 0 ? FS_EXISTS : error;
}

/* Fills the new inode. Its lock and its directory's lock are held. */
static int fill(struct inode *inode, struct inode *directory, enum hleos_fs_type type,
                uint32_t device)
{
    int error;

    inode->disk = (struct hleos_fs_inode){.type = (uint16_t)type, .links = 1, .device = device};
    inode->loaded = true;
    if (type != HLEOS_FS_DIRECTORY)
        return inode_update(inode);
    inode->disk.links = 2; /* its name, and its own "." */
    error = directory_add(inode, ".", 1, inode->number);
    if (error == 0)
        error = directory_add(inode, "..", 2, directory->number);
    if (error < 0)
        return error;
    directory->disk.links++;
    return inode_update(directory);
}

/* Writes the entry first: if the disk is full, nothing has changed. A directory is undone if there
 * is no block for its own entries. */
static int make(struct inode *directory, struct name name, enum hleos_fs_type type, uint32_t device,
                struct inode **made)
{
    struct fs *fs = directory->fs;
    uint32_t number;
    uint64_t offset;
    int error = alloc_inode(fs, &number);

    if (error == 0)
        error = inode_get(fs, number, made);
    if (error < 0)
        return error;
    /* The new inode has no name yet. Its lock waits at most for a thread that has just erased the
     * old inode with its number. */
    sync_mutex_take(&(*made)->mutex);
    error = directory_add(directory, name.text, name.length, number);
    if (error == 0) {
        error = fill(*made, directory, type, device);
        if (error == FS_NO_SPACE) {
            int undone = directory_find(directory, name.text, name.length, &number, &offset);

            if (undone == 0)
                undone = directory_remove(directory, offset);
            if (undone < 0)
                error = FS_CORRUPT;
        }
    }
    if (error < 0)
        (*made)->disk = (struct hleos_fs_inode){.type = HLEOS_FS_FREE};
    sync_mutex_give(&(*made)->mutex);
    return error;
}

int fs_create(struct inode *from, const char *path, enum hleos_fs_type type, uint32_t device,
              struct inode **inode)
{
    struct inode *directory, *made = NULL;
    struct name name;
    int error;

    if (type != HLEOS_FS_FILE && type != HLEOS_FS_DIRECTORY && type != HLEOS_FS_DEVICE)
        return FS_INVALID;
    error = change_begin(from, path, &name, &directory);
    if (error < 0)
        return error;
    error = check_absent(directory, name);
    if (error == 0 && type != HLEOS_FS_DIRECTORY && name.text[name.length] == '/')
        error = FS_NAME;
    if (error == 0 && type == HLEOS_FS_DIRECTORY && directory->disk.links == LINKS_MAX)
        error = FS_TOO_MANY_LINKS;
    if (error == 0)
        error = make(directory, name, type, device, &made);
    error = change_end(directory, error);
    if (error < 0 || inode == NULL)
        fs_release(made);
    else
        *inode = made;
    return error;
}

int fs_link(struct inode *inode, struct inode *from, const char *path)
{
    struct inode *directory;
    struct name name;
    int error;

    if (inode->fs != from->fs)
        return FS_INVALID;
    error = change_begin(from, path, &name, &directory);
    if (error < 0)
        return error;
    error = check_absent(directory, name);
    if (error == 0 && name.text[name.length] == '/')
        error = FS_NAME;
    if (error == 0 && inode == directory)
        error = FS_IS_DIRECTORY;
    if (error == 0)
        error = inode_lock(inode); /* the holder of a file's lock waits for no other lock */
    if (error < 0)
        return change_end(directory, error);
    if (inode->disk.type == HLEOS_FS_DIRECTORY)
        error = FS_IS_DIRECTORY;
    else if (inode->disk.links == 0)
        error = FS_NOT_FOUND;
    else if (inode->disk.links == LINKS_MAX)
        error = FS_TOO_MANY_LINKS;
    if (error == 0)
        error = directory_add(directory, name.text, name.length, inode->number);
    if (error == 0) {
        inode->disk.links++;
        error = inode_update(inode);
    }
    inode_unlock(inode);
    return change_end(directory, error);
}

/* Removes an entry; both inodes are locked. A directory loses its "." and ".." too, so that no name
 * is found in it. */
static int take_away(struct inode *directory, uint64_t offset, struct inode *inode)
{
    bool is_directory = inode->disk.type == HLEOS_FS_DIRECTORY;
    int error = is_directory ? directory_is_empty(inode) : 1;

    if (error <= 0)
        return error < 0 ? error : FS_NOT_EMPTY;
    if (inode->disk.links == 0 || directory->disk.links == 0)
        return FS_CORRUPT;
    error = directory_remove(directory, offset);
    if (error == 0 && is_directory) {
        directory->disk.links--;
        error = inode_update(directory);
    }
    if (error < 0)
        return error;
    inode->disk.links = is_directory ? 0 : inode->disk.links - 1;
    return is_directory ? inode_resize(inode, 0) : inode_update(inode);
}

int fs_unlink(struct inode *from, const char *path)
{
    struct inode *directory, *inode = NULL;
    struct name name;
    uint64_t offset;
    uint32_t number;
    int error = change_begin(from, path, &name, &directory);

    if (error < 0)
        return error;
    error = directory_find(directory, name.text, name.length, &number, &offset);
    if (error == 0)
        error = inode_get(directory->fs, number, &inode);
    if (error == 0 && (inode == directory || number == HLEOS_FS_ROOT))
        error = FS_CORRUPT;
    if (error == 0)
        error = inode_lock(inode);
    if (error == 0) {
        if (name.text[name.length] == '/' && inode->disk.type != HLEOS_FS_DIRECTORY)
            error = FS_NOT_DIRECTORY;
        else
            error = take_away(directory, offset, inode);
        inode_unlock(inode);
    }
    error = change_end(directory, error);
    fs_release(inode);
    return error;
}
