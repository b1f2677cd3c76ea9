/* Guest RAM as a memory file, so that another process can be given the same pages; see ram.h. */
#include "host/ram.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *ram_allocate(uint64_t size, struct error *error)
{
    void *ram = MAP_FAILED;
    int fd = memfd_create("guest-ram", MFD_CLOEXEC);

    if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
        ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (ram == MAP_FAILED)
        error_set(error, "cannot get %llu KiB for the guest: %s", (unsigned long long)size / 1024,
                  strerror(errno));
    if (fd >= 0)
        close(fd); /* the mapping keeps the file */
    return ram == MAP_FAILED ? NULL : ram;
}

void ram_release(void *ram, uint64_t size)
{
    munmap(ram, size);
}
