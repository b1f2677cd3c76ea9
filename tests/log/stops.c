/*
 * Preloaded into kvm-vmm: stops the process behind the first megabyte that it writes to files, as
 * SIGSTOP at that moment would. Its standard streams do not count.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STOP_AFTER 1000000

ssize_t write(int fd, const void *bytes, size_t count)
{
    static size_t written;
    ssize_t n = syscall(SYS_write, fd, bytes, count);

    if (fd > STDERR_FILENO && n > 0 && written < STOP_AFTER) {
        written += (size_t)n;
        if (written >= STOP_AFTER)
            raise(SIGSTOP);
    }
    return n;
}
