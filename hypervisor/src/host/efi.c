/*
 * Reads from EFI what the hypervisor needs, and ends boot services (UEFI Specification 2.10,
 * chapters 4, 7 and 9; the RISC-V EFI Boot Protocol 1.0; for the initrd, Linux's documentation). It
 * runs on EFI's stack, before the hypervisor is initialised: no print(), no cpu_self().
 */
#include "host/efi.h"

#include "common/string.h"

typedef uint64_t efi_status;

struct efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct efi_header {
    uint64_t signature;
    uint32_t revision, size, crc, reserved;
};

struct efi_memory {
    uint32_t type;
    uint64_t start, virtual, pages, attributes;
};
enum { /* Types 1 to 12, except 8 and 10, are free after boot services or are not memory. */
       EFI_LOADER_CODE = 1,
       EFI_LOADER_DATA = 2,
       EFI_UNUSABLE = 8,
       EFI_ACPI_NVS = 10,
       EFI_MMIO_PORTS = 12
};

/* Only the functions that are used have types; arrays keep the place of the others. */
struct efi_boot_services {
    struct efi_header header;
    void *raise_tpl, *restore_tpl;
    efi_status (*allocate_pages)(uint32_t how, uint32_t type, uint64_t pages, uint64_t *start);
    efi_status (*free_pages)(uint64_t start, uint64_t pages);
    efi_status (*get_memory_map)(uint64_t *size, void *map, uint64_t *key, uint64_t *entry_size,
                                 uint32_t *version);
    void *pool[2], *events[6], *interfaces[3];
    efi_status (*handle_protocol)(void *handle, const struct efi_guid *, void **found);
    void *reserved, *notify, *locate_handle;
    efi_status (*locate_device_path)(const struct efi_guid *, const void **path, void **handle);
    void *install_table, *images[4];
    efi_status (*exit_boot_services)(void *image, uint64_t key);
    void *others[10];
    efi_status (*locate_protocol)(const struct efi_guid *, void *registration, void **found);
};
_Static_assert(offsetof(struct efi_boot_services, handle_protocol) == 152, "UEFI 4.4");
_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232, "UEFI 4.4");
_Static_assert(offsetof(struct efi_boot_services, locate_protocol) == 320, "UEFI 4.4");

struct efi_text_output {
    void *reset;
    efi_status (*write)(struct efi_text_output *, const uint16_t *text);
};

struct efi_table {
    struct efi_guid guid;
    const void *table;
};

struct efi_system_table {
    struct efi_header header;
    void *vendor;
    uint64_t revision;
    void *input[2], *output_handle;
    struct efi_text_output *output;
    void *error[2], *runtime;
    const struct efi_boot_services *boot;
    uint64_t table_count;
    const struct efi_table *tables;
};
_Static_assert(offsetof(struct efi_system_table, tables) == 112, "UEFI 4.3");

struct efi_loaded_image {
    uint64_t revision;
    void *parent, *system, *device, *path, *reserved;
    uint32_t options_size;
    const uint16_t *options;
};

struct efi_file_loader {
    efi_status (*load)(struct efi_file_loader *, const void *path, bool boot_policy, uint64_t *size,
                       void *buffer);
};

struct efi_riscv_boot {
    uint64_t revision;
    efi_status (*boot_hart)(struct efi_riscv_boot *, uint64_t *hartid);
};

static const struct efi_guid device_tree = {
    0xb1b621d5, 0xf19c, 0x41a5, {0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0}};
static const struct efi_guid loaded_image = {
    0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid load_file2 = {
    0x4006c0c1, 0xfcb3, 0x403e, {0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d}};
static const struct efi_guid riscv_boot = {
    0xccd15fec, 0x6f73, 0x4eec, {0x83, 0x95, 0x3e, 0x69, 0xe4, 0xb9, 0x40, 0xbf}};

/* The device path of Linux's initrd: a vendor's medium, and the end. */
struct efi_vendor_path {
    uint8_t type, subtype, size[2];
    struct efi_guid guid;
    uint8_t end[4];
};
static const struct efi_vendor_path initrd_path = {
    4,
    3,
    {20, 0},
    {0x5568e427, 0x68fc, 0x4f3d, {0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68}},
    {0x7f, 0xff, 4, 0}};

struct efi efi;

static const void *find_device_tree(const struct efi_system_table *table)
{
    for (uint64_t i = 0; i < table->table_count; i++)
        if (memcmp(&table->tables[i].guid, &device_tree, sizeof device_tree) == 0)
            return table->tables[i].table;
    return NULL;
}

/* Reads the command line from the load options, which have 16-bit characters. */
static bool take_arguments(const struct efi_boot_services *boot, void *image)
{
    const struct efi_loaded_image *loaded;
    uint64_t count;

    if (boot->handle_protocol(image, &loaded_image, (void **)&loaded) != 0)
        return true;
    count = loaded->options != NULL ? loaded->options_size / 2 : 0;
    for (uint64_t i = 0; i < count && loaded->options[i] != 0; i++) {
        if (i == EFI_ARGUMENTS_SIZE - 1)
            return false;
        efi.arguments[i] = loaded->options[i] < 0x80 ? (char)loaded->options[i] : '?';
    }
    return true;
}

/* False if there is an initrd and it cannot be read. */
static bool take_initrd(const struct efi_boot_services *boot)
{
    const void *path = &initrd_path;
    struct efi_file_loader *loader;
    void *handle;
    uint64_t size = 0;

    if (boot->locate_device_path(&load_file2, &path, &handle) != 0 ||
        boot->handle_protocol(handle, &load_file2, (void **)&loader) != 0)
        return true;
    loader->load(loader, path, false, &size, NULL); /* it fails, and sets the size */
    if (size == 0)
        return true;
    if (boot->allocate_pages(0, EFI_LOADER_DATA, ALIGN_UP(size, PAGE_4K) / PAGE_4K,
                             &efi.initrd.start) != 0)
        return false;
    efi.initrd.size = size;
    return loader->load(loader, path, false, &size, (void *)efi.initrd.start) == 0;
}

/* Lists the memory that must be kept after boot services. Runtime services are never called. */
static bool reserve(const uint8_t *map, uint64_t size, uint64_t entry_size)
{
    for (uint64_t at = 0; at + sizeof(struct efi_memory) <= size; at += entry_size) {
        const struct efi_memory *m = (const struct efi_memory *)(map + at);

        if (m->type >= EFI_LOADER_CODE && m->type <= EFI_MMIO_PORTS && m->type != EFI_UNUSABLE &&
            m->type != EFI_ACPI_NVS)
            continue;
        if (efi.reserved_count == EFI_RESERVED_MAX)
            return false;
        efi.reserved[efi.reserved_count++] = (struct range){m->start, m->pages * PAGE_4K};
    }
    return true;
}

/* Ends boot services. If the memory map changes between the two calls, it tries again. `tried`:
 * from now on only EFI's memory services may be called. */
static bool leave(const struct efi_boot_services *boot, void *image, bool *tried)
{
    static uint8_t map[32 * KIB] __attribute__((aligned(8)));

    for (int tries = 0; tries < 4; tries++) {
        uint64_t size = sizeof map, entry_size, key;
        uint32_t version;

        efi.reserved_count = 0;
        if (boot->get_memory_map(&size, map, &key, &entry_size, &version) != 0 ||
            entry_size < sizeof(struct efi_memory) || !reserve(map, size, entry_size))
            return false;
        *tried = true;
        if (boot->exit_boot_services(image, key) == 0)
            return true;
    }
    return false;
}

struct efi_handover efi_leave(void *image, const struct efi_system_table *table)
{
    const struct efi_boot_services *boot = table->boot;
    const void *fdt = find_device_tree(table);
    const uint16_t *wrong = NULL;
    struct efi_riscv_boot *protocol;
    uint64_t hartid = 0;
    bool tried = false;

    if (fdt == NULL)
        wrong = u"hv: EFI has no device tree (QEMU: -M virt,acpi=off)\r\n";
    else if (boot->locate_protocol(&riscv_boot, NULL, (void **)&protocol) != 0 ||
             protocol->boot_hart(protocol, &hartid) != 0)
        wrong = u"hv: EFI does not say which hart this is (RISCV_EFI_BOOT_PROTOCOL)\r\n";
    else if (!take_arguments(boot, image))
        wrong = u"hv: the load options are too long for a command line\r\n";
    else if (!take_initrd(boot))
        wrong = u"hv: EFI cannot load the initrd\r\n";
    else if (!leave(boot, image, &tried))
        wrong = u"hv: EFI does not end its boot services, or reserves too many ranges\r\n";
    if (wrong != NULL && efi.initrd.size != 0)
        boot->free_pages(efi.initrd.start, ALIGN_UP(efi.initrd.size, PAGE_4K) / PAGE_4K);
    if (wrong != NULL && !tried && table->output != NULL)
        table->output->write(table->output, wrong);
    return (struct efi_handover){hartid, wrong == NULL ? fdt : NULL};
}
