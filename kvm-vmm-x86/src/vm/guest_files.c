/* Reads a guest's files; see guest_files.h. */
#include "vm/guest_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

/* More than any image needs; limits a device or an endless pipe. */
#define IMAGE_LIMIT (1 * GIB)

static int load_file(struct file *file, struct image *image, const char *path, struct error *error)
{
    if (file_load(file, path, IMAGE_LIMIT, error) < 0)
        return -1;
    *image = (struct image){.path = path, .bytes = file->bytes, .size = file->size};
    return 0;
}

const char *guest_files_initrd_mark(const char *what)
{
    char path[PATH_MAX];

    if (file_is_there(what))
        return NULL;
    for (const char *mark = strchr(what, '='); mark != NULL; mark = strchr(mark + 1, '=')) {
        if ((size_t)(mark - what) >= sizeof path)
            break;
        snprintf(path, sizeof path, "%.*s", (int)(mark - what), what);
        if (file_is_there(path))
            return mark;
    }
    return strrchr(what, '=');
}

static int load_initrd(struct guest_files *files, unsigned i, const char *what, struct error *error)
{
    const char *mark = guest_files_initrd_mark(what);
    struct image *image = &files->boot.initrds[i];

    if (mark == NULL)
        return load_file(&files->initrds[i], image, what, error);
    files->paths[i] = strndup(what, (size_t)(mark - what));
    if (files->paths[i] == NULL)
        return error_set(error, "out of memory");
    if (load_file(&files->initrds[i], image, files->paths[i], error) < 0)
        return -1;
    image->name = mark + 1;
    return 0;
}

int guest_files_load(struct guest_files *files, const struct guest_config *config,
                     struct error *error)
{
    if (config->image_bytes != NULL)
        files->boot.image = (struct image){
            .path = config->image, .bytes = config->image_bytes, .size = config->image_size};
    else if (load_file(&files->image, &files->boot.image, config->image, error) < 0)
        return -1;
    if (config->kernel != NULL &&
        load_file(&files->kernel, &files->boot.kernel, config->kernel, error) < 0)
        return -1;
    for (unsigned i = 0; i < config->initrd_count; i++) {
        if (load_initrd(files, i, config->initrds[i], error) < 0)
            return -1;
        files->boot.initrd_count++;
    }
    return 0;
}

int guest_files_check(const struct guest_files *files, struct error *error)
{
    const struct boot_files *boot = &files->boot;

    if (!file_is_unchanged(&files->image))
        return error_set(error, "%s was written to while it was read", boot->image.path);
    if (!file_is_unchanged(&files->kernel))
        return error_set(error, "%s was written to while it was read", boot->kernel.path);
    for (unsigned i = 0; i < boot->initrd_count; i++)
        if (!file_is_unchanged(&files->initrds[i]))
            return error_set(error, "%s was written to while it was read", boot->initrds[i].path);
    return 0;
}

void guest_files_release(struct guest_files *files)
{
    for (unsigned i = 0; i < INITRDS_MAX; i++) {
        file_release(&files->initrds[i]);
        free(files->paths[i]);
    }
    file_release(&files->kernel);
    file_release(&files->image);
}
