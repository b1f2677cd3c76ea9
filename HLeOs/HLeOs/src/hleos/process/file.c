/* Open files and their references; see file.h. */
#include "process/file.h"

#include "kmalloc.h"

struct file *file_create(const struct file_operations *operations, void *object, bool readable,
                         bool writable)
{
    struct file *file = kmalloc(sizeof *file);

    if (file != NULL)
        *file = (struct file){.operations = operations,
                              .object = object,
                              .readable = readable,
                              .writable = writable,
                              .references = 1};
    return file;
}

struct file *file_share(struct file *file)
{
    __atomic_add_fetch(&file->references, 1, __ATOMIC_RELAXED);
    return file;
}

void file_close(struct file *file)
{
    /* The thread that drops the last reference must see the other threads' changes to the file. */
    if (__atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (file->operations->close != NULL)
        file->operations->close(file);
    kfree(file);
}

void file_share_all(struct file **to, struct file *const *from)
{
    for (int i = 0; i < FILE_TABLE; i++)
        to[i] = from[i] != NULL ? file_share(from[i]) : NULL;
}

void file_close_all(struct file **files)
{
    for (int i = 0; i < FILE_TABLE; i++) {
        if (files[i] != NULL)
            file_close(files[i]);
        files[i] = NULL;
    }
}

int file_number(struct file **files, struct file *file)
{
    for (int i = 0; i < FILE_TABLE; i++) {
        if (files[i] == NULL) {
            files[i] = file;
            return i;
        }
    }
    return -1;
}
