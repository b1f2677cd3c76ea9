/* Makes guests from files; see guests.h. */
#include "vm/guests.h"

#include "console/input.h"
#include "host/files.h"
#include "watch/record/boot_report.h"
#include "watch/record/guest_symbols.h"

/* The largest image anybody needs; a device or an endless pipe ends here. */
#define IMAGE_LIMIT (1 * GIB)

/* The bytes of a guest's files, while it is made of them. */
struct guest_files {
    struct boot_files boot;
    struct file image, initrds[INITRDS_MAX];
};

static int load_file(struct file *file, struct image *image, const char *path, struct error *error)
{
    if (file_load(file, path, IMAGE_LIMIT, error) < 0)
        return -1;
    *image = (struct image){.path = path, .bytes = file->bytes, .size = file->size};
    return 0;
}

static int load_files(struct guest_files *files, const char *path, const struct options *options,
                      struct error *error)
{
    if (load_file(&files->image, &files->boot.image, path, error) < 0)
        return -1;
    for (unsigned i = 0; i < options->initrd_count; i++) {
        if (load_file(&files->initrds[i], &files->boot.initrds[i], options->initrds[i], error) < 0)
            return -1;
        files->boot.initrd_count++;
    }
    return 0;
}

static void release_files(struct guest_files *files)
{
    for (unsigned i = 0; i < INITRDS_MAX; i++)
        file_release(&files->initrds[i]);
    file_release(&files->image);
}

/* Names cost time at the start: the image's own are only read for those who show some. */
static int name_addresses(struct vm *vm, struct file *image, struct error *error)
{
    const struct options *o = vm->options;

    if (o->symbols != NULL)
        return guest_symbols_load(&vm->symbols, o->symbols,
                                  vm->mode == MODE_REAL ? vm->memory.regions[0].base : 0, error);
    if (o->stats || o->log != NULL)
        guest_symbols_take(&vm->symbols, image);
    return 0;
}

int guests_create(struct vm *vm, struct debug_server *server, unsigned index,
                  const struct options *options, struct error *error)
{
    struct guest_files files = {0};
    struct kvm kvm;
    int result;

    vm_init(vm, index, options);
    if (kvm_open(&kvm, options->kvm, error) < 0)
        return -1;
    result = load_files(&files, options->images[index], options, error);
    boot_report_mark(index, BOOT_FILES);
    if (result == 0)
        result = vm_create(vm, &kvm, &files.boot, error);
    if (result == 0 && (name_addresses(vm, &files.image, error) < 0 ||
                        (server != NULL && debug_server_open(server, vm, &kvm, error) < 0))) {
        vm_destroy(vm);
        result = -1;
    }
    release_files(&files);
    kvm_close(&kvm);
    return result;
}

int guests_start(struct vm *vm, struct debug_server *server, void (*ended)(void),
                 struct error *error)
{
    if (vm_start(vm, ended, error) < 0)
        return -1;
    return debug_server_start(server, error);
}

bool guests_restart(struct vm *vm, struct debug_server *server, void (*ended)(void))
{
    struct error error;

    if (!vm->options->reboot || vm_is_running(vm) || vm_end_of(vm).kind != END_RESET)
        return false;
    vm_join(vm);
    debug_server_close(server);
    vm_destroy(vm);
    input_restart(vm->index);
    if (guests_create(vm, server, vm->index, vm->options, &error) < 0 ||
        guests_start(vm, server, ended, &error) < 0)
        vm_stop(vm, END_FAILED, 0, "%s", error.text);
    return true;
}
