/*
 * Runs in a guest and measures its disk. Requests bypass the guest's page cache (O_DIRECT), DEPTH
 * at a time (io_submit(2)). Between the lines `begin` and `end` it does nothing else.
 *
 *   disk DEVICE read|write SIZE DEPTH COUNT [random]
 *
 * Prints `end MICROSECONDS`; the positions of random requests are the same in each run.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 64, ALIGNMENT = 4096 };

static uint64_t blocks; /* size of the device in requests */

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t next_block(bool by_chance)
{
    static uint64_t state = 88172645463325252u, at; /* xorshift64 */

    if (!by_chance)
        return at++ % blocks;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % blocks;
}

static void submit(aio_context_t context, struct iocb *request, uint64_t block)
{
    request->aio_offset = (int64_t)(block * request->aio_nbytes);
    if (syscall(SYS_io_submit, context, 1, &request) != 1)
        fail("io_submit");
}

/* Runs all requests, `depth` at a time. Returns microseconds. */
static uint64_t run(struct iocb *requests, long depth, long count, bool by_chance)
{
    struct io_event events[DEPTH_MAX];
    struct timespec begin, end;
    aio_context_t context = 0;
    long begun = 0, done = 0, n;

    if (syscall(SYS_io_setup, DEPTH_MAX, &context) < 0)
        fail("io_setup");
    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (begun < depth && begun < count)
        submit(context, &requests[begun++], next_block(by_chance));
    while (done < count) {
        n = syscall(SYS_io_getevents, context, 1, DEPTH_MAX, events, NULL);
        if (n < 1)
            fail("io_getevents");
        for (long i = 0; i < n; i++) {
            struct iocb *request = (struct iocb *)(uintptr_t)events[i].obj;

            if (events[i].res != (int64_t)request->aio_nbytes) {
                fprintf(stderr, "a request answered %lld\n", (long long)events[i].res);
                exit(1);
            }
            done++;
            if (begun++ < count)
                submit(context, request, next_block(by_chance));
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (uint64_t)((end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000);
}

int main(int argc, char **argv)
{
    static struct iocb requests[DEPTH_MAX];
    bool write = argc > 2 && strcmp(argv[2], "write") == 0;
    long size = argc > 5 ? atol(argv[3]) : 0, depth = argc > 5 ? atol(argv[4]) : 0;
    int fd;

    if (size <= 0 || size % ALIGNMENT != 0 || depth < 1 || depth > DEPTH_MAX) {
        fprintf(stderr, "disk DEVICE read|write SIZE DEPTH COUNT [random]\n");
        return 2;
    }
    fd = open(argv[1], O_RDWR | O_DIRECT);
    if (fd < 0)
        fail(argv[1]);
    blocks = (uint64_t)lseek(fd, 0, SEEK_END) / (uint64_t)size;
    for (long i = 0; i < depth; i++) {
        void *buffer = aligned_alloc(ALIGNMENT, (size_t)size);

        if (buffer == NULL)
            fail("memory");
        memset(buffer, (int)i, (size_t)size);
        requests[i] = (struct iocb){.aio_fildes = (uint32_t)fd,
                                    .aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
                                    .aio_buf = (uintptr_t)buffer,
                                    .aio_nbytes = (uint64_t)size};
    }
    printf("begin\n");
    fflush(stdout);
    printf("end %llu\n", (unsigned long long)run(requests, depth, atol(argv[5]), argc > 6));
    return 0;
}
