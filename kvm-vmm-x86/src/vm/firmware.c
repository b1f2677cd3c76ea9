/* The contents of fw_cfg; see firmware.h. How the firmware gets a kernel: QEMU, hw/i386/x86.c. The
 * header's fields: Documentation/arch/x86/boot.rst. */
#include "vm/firmware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/linux/bzimage.h"
#include "boot/linux/params.h"
#include "host/files/files.h"
#include "vm/vm.h"

#define FW_FILE_LIMIT (64 * MIB)

/* Addresses of a kernel's parts: setup code, command line, and the rest. */
enum { SETUP_AT = 0x10000, LINE_AT = 0x20000, CODE_AT = 0x100000, LOADER_QEMU = 0xb0 };

/* The firmware puts its tables at the end of low RAM. */
enum { TABLES_ROOM = 0x40000 };

/* The serial port that SeaBIOS uses as its console. */
static const uint64_t console_port = SERIAL_PORT;

static uint8_t *copy(const uint8_t *bytes, size_t size, struct error *error)
{
    uint8_t *mine = malloc(size > 0 ? size : 1);

    if (mine == NULL)
        error_set(error, "out of memory");
    else
        memcpy(mine, bytes, size);
    return mine;
}

static void add_file(struct fw_cfg_contents *c, const char *name, const void *bytes, size_t size)
{
    struct fw_cfg_file *file = &c->files[c->file_count++];

    strcpy(file->name, name);
    file->bytes = bytes;
    file->size = (uint32_t)size;
}

static void add_item(struct fw_cfg_contents *c, uint16_t key, const void *bytes, size_t size)
{
    c->items[c->item_count++] = (struct fw_cfg_item){key, bytes, (uint32_t)size};
}

static int add_users_file(struct vm *vm, unsigned i, struct fw_cfg_contents *c, struct error *error)
{
    const char *text = vm->config->fw_files[i], *mark = strchr(text, '=');
    char name[FW_NAME_MAX + 1] = "";
    struct file file;
    bool unchanged;

    if (file_load(&file, mark + 1, FW_FILE_LIMIT, error) < 0)
        return -1;
    vm->firmware.files[i] = copy(file.bytes, file.size, error);
    unchanged = file_is_unchanged(&file);
    memcpy(name, text, (size_t)(mark - text));
    if (vm->firmware.files[i] != NULL)
        add_file(c, name, vm->firmware.files[i], file.size);
    file_release(&file);
    if (vm->firmware.files[i] == NULL)
        return -1;
    return unchanged ? 0 : error_set(error, "%s was written to while it was read", mark + 1);
}

static int add_tables(struct vm *vm, struct fw_cfg_contents *c, struct error *error)
{
    struct acpi_machine machine = {.cpus = vm->vcpu_count,
                                   .watchdog = vm->config->watchdog != WATCHDOG_NONE};
    struct acpi_files *acpi = vm->firmware.acpi = malloc(sizeof *acpi);

    if (acpi == NULL)
        return error_set(error, "out of memory");
    machine.device_count = machine_describe(vm->config, machine.devices);
    machine.pci = &vm->machine.pci;
    if (acpi_make_files(&machine, acpi, error) < 0)
        return -1;
    add_file(c, ACPI_FILE_TABLES, acpi->tables, acpi->tables_size);
    add_file(c, ACPI_FILE_ROOT, acpi->root, sizeof acpi->root);
    add_file(c, ACPI_FILE_SCRIPT, acpi->script, acpi->script_size);
    add_file(c, "etc/sercon-port", &console_port, sizeof console_port);
    return 0;
}

/* Joins the initrds, each at a multiple of four bytes as cpio requires. */
static int join_initrds(struct vm *vm, const struct boot_files *files, uint32_t *size,
                        struct error *error)
{
    uint64_t whole = 0;

    for (unsigned i = 0; i < files->initrd_count; i++)
        whole += (files->initrds[i].size + 3) & ~UINT64_C(3);
    if (whole > memory_low_end(&vm->memory))
        return error_set(error, "%s: its initial ramdisk does not fit into its memory (-m)",
                         vm->config->kernel);
    vm->firmware.initrd = calloc(1, whole + 1);
    if (vm->firmware.initrd == NULL)
        return error_set(error, "out of memory");
    *size = 0;
    for (unsigned i = 0; i < files->initrd_count; i++) {
        memcpy(vm->firmware.initrd + *size, files->initrds[i].bytes, files->initrds[i].size);
        *size += (uint32_t)((files->initrds[i].size + 3) & ~UINT64_C(3));
    }
    return 0;
}

/* Fills the loader's fields of the header at the start of the setup code, which has at least two
 * sectors. */
static void fill_header(uint8_t *setup, uint32_t initrd, uint32_t initrd_size)
{
    struct boot_params *params = (struct boot_params *)setup;

    params->hdr.type_of_loader = LOADER_QEMU;
    params->hdr.loadflags |= CAN_USE_HEAP;
    params->hdr.heap_end_ptr = LINE_AT - SETUP_AT - 0x200;
    params->hdr.cmd_line_ptr = LINE_AT;
    params->hdr.ramdisk_image = initrd;
    params->hdr.ramdisk_size = initrd_size;
}

/* An image without a packed kernel is not Linux: iPXE, for instance, uses its command line as a
 * script. */
static size_t command_line(const struct bzimage *b, const char *append, char *line, size_t size)
{
    if (b->payload != NULL)
        return linux_command_line(line, size, append, true);
    return (size_t)snprintf(line, size, "%s", append != NULL ? append : "");
}

static int add_kernel(struct vm *vm, const struct boot_files *files, struct fw_cfg_contents *c,
                      struct error *error)
{
    const struct image *image = &files->kernel;
    struct firmware *f = &vm->firmware;
    struct bzimage b;
    size_t setup_size;
    uint64_t end = memory_low_end(&vm->memory) - TABLES_ROOM;
    uint32_t initrd_size = 0;
    enum { SETUP, SETUP_SIZE, CODE, CODE_SIZE, LINE, LINE_SIZE, INITRD, INITRD_SIZE };

    if (!bzimage_recognise(image))
        return error_set(error, "%s: firmware starts only Linux kernels (bzImage)", image->path);
    if (bzimage_open(&b, image, BZIMAGE_OLDEST_FIRMWARE, error) < 0 ||
        join_initrds(vm, files, &initrd_size, error) < 0)
        return -1;
    setup_size = (size_t)(b.code - image->bytes);
    f->setup = copy(image->bytes, setup_size, error);
    f->code = copy(b.code, b.code_size, error);
    if (f->setup == NULL || f->code == NULL)
        return -1;
    if (command_line(&b, vm->config->append, f->line, sizeof f->line) >= sizeof f->line)
        return error_set(error, "%s: the command line has %d bytes or more (--append)", image->path,
                         FIRMWARE_LINE_MAX);
    if (end > b.header.initrd_addr_max)
        end = b.header.initrd_addr_max + UINT64_C(1);
    if (initrd_size + b.code_size + CODE_AT > end)
        return error_set(error, "%s: it does not fit into its memory (-m)", image->path);
    f->numbers[SETUP] = SETUP_AT;
    f->numbers[SETUP_SIZE] = (uint32_t)setup_size;
    f->numbers[CODE] = CODE_AT;
    f->numbers[CODE_SIZE] = (uint32_t)b.code_size;
    f->numbers[LINE] = LINE_AT;
    f->numbers[LINE_SIZE] = (uint32_t)strlen(f->line) + 1;
    f->numbers[INITRD] = initrd_size > 0 ? (uint32_t)((end - initrd_size) & ~UINT64_C(4095)) : 0;
    f->numbers[INITRD_SIZE] = initrd_size;
    fill_header(f->setup, f->numbers[INITRD], initrd_size);
    add_item(c, FW_CFG_SETUP_ADDRESS, &f->numbers[SETUP], 4);
    add_item(c, FW_CFG_SETUP_SIZE, &f->numbers[SETUP_SIZE], 4);
    add_item(c, FW_CFG_SETUP_DATA, f->setup, setup_size);
    add_item(c, FW_CFG_KERNEL_ADDRESS, &f->numbers[CODE], 4);
    add_item(c, FW_CFG_KERNEL_SIZE, &f->numbers[CODE_SIZE], 4);
    add_item(c, FW_CFG_KERNEL_DATA, f->code, b.code_size);
    add_item(c, FW_CFG_LINE_ADDRESS, &f->numbers[LINE], 4);
    add_item(c, FW_CFG_LINE_SIZE, &f->numbers[LINE_SIZE], 4);
    add_item(c, FW_CFG_LINE_DATA, f->line, f->numbers[LINE_SIZE]);
    add_item(c, FW_CFG_INITRD_ADDRESS, &f->numbers[INITRD], 4);
    add_item(c, FW_CFG_INITRD_SIZE, &f->numbers[INITRD_SIZE], 4);
    add_item(c, FW_CFG_INITRD_DATA, f->initrd, initrd_size);
    return 0;
}

int firmware_fill(struct vm *vm, const struct boot_files *files, struct error *error)
{
    struct fw_cfg_contents contents = {.cpus = vm->vcpu_count, .file_count = 1};

    for (unsigned i = 0; i < vm->config->fw_file_count; i++)
        if (add_users_file(vm, i, &contents, error) < 0)
            return -1;
    if (vm->mode == MODE_FIRMWARE) {
        rtc_describe(&vm->machine.rtc, memory_low_end(&vm->memory), vm->ram_size, vm->vcpu_count);
        if (add_tables(vm, &contents, error) < 0 ||
            (vm->config->kernel != NULL && add_kernel(vm, files, &contents, error) < 0))
            return -1;
    }
    fw_cfg_fill(&vm->machine.fw_cfg, &contents);
    return 0;
}

/* --- saved state: each file after its name, each item after its number --- */

enum { VERSION = 1 };
static const char file_chunk[] = "file", item_chunk[] = "item";

size_t firmware_size(const struct vm *vm)
{
    const struct fw_cfg_contents *c = &vm->machine.fw_cfg.contents;
    size_t size = 0;

    for (unsigned i = 1; i < c->file_count; i++)
        size += sizeof(struct chunk_header) + sizeof c->files[i].name + c->files[i].size;
    for (unsigned i = 0; i < c->item_count; i++)
        size += sizeof(struct chunk_header) + sizeof c->items[i].key + c->items[i].size;
    return size;
}

void firmware_save(const struct vm *vm, struct chunk_writer *writer)
{
    const struct fw_cfg_contents *c = &vm->machine.fw_cfg.contents;

    for (unsigned i = 1; i < c->file_count; i++)
        chunk_write_two(writer, file_chunk, VERSION, c->files[i].name, sizeof c->files[i].name,
                        c->files[i].bytes, c->files[i].size);
    for (unsigned i = 0; i < c->item_count; i++)
        chunk_write_two(writer, item_chunk, VERSION, &c->items[i].key, sizeof c->items[i].key,
                        c->items[i].bytes, c->items[i].size);
}

static bool take_chunk(struct fw_cfg_contents *c, const struct chunk *chunk)
{
    struct fw_cfg_file *file = &c->files[c->file_count];
    struct fw_cfg_item *item = &c->items[c->item_count];

    if (chunk->version != VERSION)
        return false;
    if (strcmp(chunk->name, file_chunk) == 0) {
        if (c->file_count == FW_CFG_FILES_MAX || chunk->size < sizeof file->name)
            return false;
        memcpy(file->name, chunk->bytes, sizeof file->name);
        file->bytes = chunk->bytes + sizeof file->name;
        file->size = (uint32_t)(chunk->size - sizeof file->name);
        c->file_count++;
        return memchr(file->name, '\0', sizeof file->name) != NULL;
    }
    if (strcmp(chunk->name, item_chunk) != 0 || chunk->size < sizeof item->key ||
        c->item_count == FW_CFG_ITEMS_MAX - FW_CFG_OWN_ITEMS)
        return false;
    memcpy(&item->key, chunk->bytes, sizeof item->key);
    item->bytes = chunk->bytes + sizeof item->key;
    item->size = (uint32_t)(chunk->size - sizeof item->key);
    c->item_count++;
    return true;
}

int firmware_restore(struct vm *vm, const uint8_t *bytes, size_t size, struct error *error)
{
    struct fw_cfg_contents contents = {.cpus = vm->vcpu_count, .file_count = 1};
    struct chunk_reader reader = {.bytes = bytes, .size = size};
    struct chunk chunk;
    int more;

    while ((more = chunk_next(&reader, &chunk, error)) > 0)
        if (!take_chunk(&contents, &chunk))
            return error_set(error, "what the saved fw_cfg holds is damaged");
    if (more == 0)
        fw_cfg_fill(&vm->machine.fw_cfg, &contents);
    return more;
}

void firmware_release(struct firmware *f)
{
    for (unsigned i = 0; i < FW_FILES_MAX; i++)
        free(f->files[i]);
    free(f->setup);
    free(f->code);
    free(f->initrd);
    free(f->acpi);
    *f = (struct firmware){0};
}
