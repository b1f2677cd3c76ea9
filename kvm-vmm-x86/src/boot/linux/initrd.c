/* Places initial ramdisks; see initrd.h. */
#include "boot/linux/initrd.h"

#include <string.h>

enum { CPIO_ALIGN = 4 };

static uint64_t padded(uint64_t size)
{
    return (size + CPIO_ALIGN - 1) & ~(uint64_t)(CPIO_ALIGN - 1);
}

/* The memory was zero before: what pads is there already. */
int initrd_place(const struct boot_request *request, gpa_t kernel_end, gpa_t last, gpa_t *at,
                 uint64_t *size, struct error *error)
{
    gpa_t limit = request->limit - 1 > last ? last + 1 : request->limit;
    uint8_t *to;

    *size = *at = 0;
    for (unsigned i = 0; i < request->initrd_count; i++)
        *size += padded(request->initrds[i].size);
    if (*size == 0)
        return 0;
    if (kernel_end > limit || *size > limit - kernel_end ||
        (*at = (limit - *size) & ~(uint64_t)(PAGE_SIZE - 1)) < kernel_end)
        return error_set(error,
                         "%s: an initial ramdisk of %lluK does not fit behind the kernel (-m)",
                         request->image->path, (unsigned long long)((*size + KIB - 1) / KIB));
    to = memory_at(request->memory, *at, *size);
    if (to == NULL)
        return error_set(error, "%s: no memory for its initial ramdisk", request->image->path);
    for (unsigned i = 0; i < request->initrd_count; i++) {
        memcpy(to, request->initrds[i].bytes, request->initrds[i].size);
        to += padded(request->initrds[i].size);
    }
    return 0;
}
