/* Unit tests of host/disk/disk.c and of both engines under it: on files made here. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "host/disk/disk.h"

enum { SIZE = 100 * 1024 + 100 /* the last sector is not whole */, SECTORS = 201 };

static char path[] = "/tmp/test_disk.XXXXXX";
static int finished, code;

static void on_done(struct disk_request *request, int result)
{
    (void)request;
    finished++;
    code = result;
}

static int set_up(void **state)
{
    int fd;

    (void)state;
    strcpy(path + sizeof path - 7, "XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    for (unsigned i = 0; i < SIZE; i++) {
        uint8_t byte = (uint8_t)(i / 512);

        assert_int_equal(write(fd, &byte, 1), 1);
    }
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static struct disk *open_disk(bool read_only, bool overlay)
{
    struct disk_config config = {
        .path = path, .path_length = strlen(path), .read_only = read_only, .overlay = overlay};
    struct error error;
    struct disk *disk = disk_open(&config, 0, &error);

    if (disk == NULL)
        fail_msg("%s", error.text);
    return disk;
}

/* Carries out a request and returns its result. */
static int carry_out(struct disk *disk, enum disk_order order, uint64_t sector, uint64_t sectors,
                     uint8_t *bytes)
{
    struct virtio_piece pieces[3] = {{bytes, 100}, {bytes + 100, 300}, {bytes + 400, 0}};
    struct disk_request request = {.order = order,
                                   .offset = sector * DISK_SECTOR,
                                   .size = sectors * DISK_SECTOR,
                                   .pieces = pieces,
                                   .count = 3,
                                   .done = on_done};
    struct pollfd ready = {.fd = disk->fd, .events = POLLIN};

    pieces[2].size = sectors * DISK_SECTOR - 400;
    finished = 0;
    disk->ops->submit(disk, &request);
    disk->ops->flush(disk);
    disk->ops->collect(disk);
    while (finished == 0) {
        assert_int_equal(poll(&ready, 1, 200000), 1);
        disk->ops->collect(disk);
    }
    assert_int_equal(finished, 1);
    return code;
}

static void check_file(uint64_t sector, uint8_t value)
{
    int fd = open(path, O_RDONLY);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, (off_t)sector * 512 + 80), 1);
    assert_int_equal(byte, value);
    close(fd);
}

static void reads_and_writes(void)
{
    struct disk *disk = open_disk(false, false);
    uint8_t bytes[4 * 512];

    assert_int_equal(disk->size, SECTORS * 512);
    assert_string_equal(disk->id, "disk0");
    assert_int_equal(carry_out(disk, DISK_READ, 7, 4, bytes), 0);
    for (unsigned i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 7 + i / 512);
    memset(bytes, 0xee, sizeof bytes);
    assert_int_equal(carry_out(disk, DISK_WRITE, 8, 2, bytes), 0);
    check_file(7, 7);
    check_file(8, 0xee);
    check_file(9, 0xee);
    check_file(10, 10);
    assert_int_equal(carry_out(disk, DISK_READ, SECTORS - 2, 2, bytes), 0); /* the end */
    assert_int_equal(bytes[512 + 99], SECTORS - 1);
    assert_int_equal(bytes[512 + 100], 0);
    assert_int_equal(bytes[1023], 0);
    assert_int_equal(carry_out(disk, DISK_FLUSH, 0, 2, bytes), 0);
    assert_int_equal(carry_out(disk, DISK_ZERO, 20, 2, bytes), 0);
    assert_int_equal(carry_out(disk, DISK_UNMAP, 30, 2, bytes), 0);
    assert_int_equal(carry_out(disk, DISK_DISCARD, 40, 2, bytes), 0);
    check_file(20, 0);
    check_file(31, 0);
    check_file(32, 32);
    assert_int_equal(truncate(path, 1000), 0); /* meanwhile: an error, not zeroes */
    assert_int_equal(carry_out(disk, DISK_READ, 10, 2, bytes), -EIO);
    disk_close(disk);
}

static void by_threads(void **state)
{
    (void)state;
    setenv("KVM_VMM_AIO", "threads", 1);
    reads_and_writes();
}

/* With io_uring if the kernel has it; otherwise the same as above. */
static void by_the_best(void **state)
{
    (void)state;
    unsetenv("KVM_VMM_AIO");
    reads_and_writes();
}

static void an_overlay_leaves_the_file(void **state)
{
    struct disk *disk = open_disk(false, true), *second = open_disk(false, true);
    uint8_t bytes[6 * 512];
    struct stat before, after;

    (void)state;
    stat(path, &before);
    memset(bytes, 0xee, sizeof bytes);
    assert_int_equal(carry_out(disk, DISK_WRITE, 11, 1, bytes), 0);
    assert_int_equal(carry_out(disk, DISK_WRITE, 13, 1, bytes), 0);
    assert_int_equal(carry_out(disk, DISK_UNMAP, 14, 1, bytes), 0);
    assert_int_equal(carry_out(disk, DISK_FLUSH, 0, 2, bytes), 0);
    assert_int_equal(carry_out(disk, DISK_READ, 10, 6, bytes), 0);
    for (unsigned i = 0; i < 6; i++) {
        static const uint8_t wanted[] = {10, 0xee, 12, 0xee, 0, 15};

        assert_int_equal(bytes[512 * i], wanted[i]);
        assert_int_equal(bytes[512 * i + 511], wanted[i]);
    }
    assert_int_equal(carry_out(second, DISK_READ, 11, 1, bytes), 0); /* each has its own */
    assert_int_equal(bytes[0], 11);
    assert_int_equal(carry_out(disk, DISK_READ, SECTORS - 1, 1, bytes), 0);
    assert_int_equal(bytes[99], SECTORS - 1);
    assert_int_equal(bytes[100], 0);
    disk_close(disk);
    disk_close(second);
    stat(path, &after);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
    check_file(11, 11);
}

static void refuse(const char *name, bool read_only, uint32_t block, const char *why)
{
    struct disk_config config = {
        .path = name, .path_length = strlen(name), .block_size = block, .read_only = read_only};
    struct error error;

    assert_null(disk_open(&config, 0, &error));
    if (strstr(error.text, why) == NULL)
        fail_msg("%s", error.text);
}

static void refused(void **state)
{
    struct disk *disk;

    (void)state;
    refuse("/no/such/file", true, 0, "No such file");
    refuse("/tmp", true, 0, "neither a file nor a block device");
    refuse("/dev/null", true, 0, "neither a file nor a block device");
    refuse(path, true, 4096, "not a multiple of 4096");
    disk = open_disk(false, false); /* one guest may write, or several may read */
    refuse(path, false, 0, "used by another guest");
    refuse(path, true, 0, "another guest writes to it");
    disk_close(disk);
    disk = open_disk(true, false);
    refuse(path, false, 0, "used by another guest");
    disk_close(open_disk(true, false));
    disk_close(disk);
    assert_int_equal(truncate(path, 0), 0);
    refuse(path, true, 0, "it is empty");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {TEST(by_threads), TEST(by_the_best),
                                              TEST(an_overlay_leaves_the_file), TEST(refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
