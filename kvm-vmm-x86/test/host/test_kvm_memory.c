/*
 * Unit tests of host/kvm/memory.c and ram.c: guest memory in KVM, with an ioctl of this program.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "host/kvm/memory.h"
#include "host/ram.h"

enum { VM_FD = 1000 };

static struct {
    struct kvm_userspace_memory_region slots[MEMORY_SLOTS_MAX];
    uint64_t dirty[MEMORY_SLOTS_MAX]; /* the first 64 pages */
    int refuses;                      /* errno */
} host;

int ioctl(int fd, unsigned long request, ...)
{
    const struct kvm_userspace_memory_region *region;
    const struct kvm_dirty_log *log;
    va_list args;
    void *p;

    va_start(args, request);
    p = va_arg(args, void *);
    va_end(args);
    assert_int_equal(fd, VM_FD);
    errno = host.refuses;
    if (host.refuses != 0)
        return -1;
    if (request == KVM_SET_USER_MEMORY_REGION) {
        region = p;
        host.slots[region->slot] = *region;
        return 0;
    }
    assert_int_equal(request, KVM_GET_DIRTY_LOG);
    log = p;
    memcpy(log->dirty_bitmap, &host.dirty[log->slot], sizeof(uint64_t));
    host.dirty[log->slot] = 0;
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    memset(&host, 0, sizeof host);
    return 0;
}

static void test_slots(void **state)
{
    struct memory m;
    struct error error;

    (void)state;
    memory_init(&m, 0, 4 * GIB, NULL);
    assert_int_equal(ram_map(&m, MEMORY_ANONYMOUS, NULL, &error), 0);
    m.slots[1].read_only = true;
    assert_int_equal(kvm_add_memory(VM_FD, &m, &error), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(host.slots[i].guest_phys_addr, m.slots[i].base);
        assert_int_equal(host.slots[i].memory_size, m.slots[i].size);
        assert_int_equal(host.slots[i].userspace_addr, (uintptr_t)m.slots[i].host);
        assert_int_equal(host.slots[i].userspace_addr % (2 * MIB), 0);
        assert_int_equal(host.slots[i].flags, i == 1 ? KVM_MEM_READONLY : 0);
    }
    host.refuses = EINVAL;
    assert_int_equal(kvm_add_memory(VM_FD, &m, &error), -1);
    assert_non_null(strstr(error.text, "Invalid argument"));
    ram_unmap(&m);
    assert_int_equal(m.count, 0);
}

static void test_log(void **state)
{
    struct memory m;
    struct error error;
    uint64_t log = 0;

    (void)state;
    memory_init(&m, 0, 64 * PAGE_SIZE, NULL);
    assert_int_equal(ram_map(&m, MEMORY_ANONYMOUS, NULL, &error), 0);
    assert_int_equal(kvm_log_memory(VM_FD, &m, 0, true, &error), 0);
    assert_int_equal(host.slots[0].flags, KVM_MEM_LOG_DIRTY_PAGES);
    host.dirty[0] = 1 << 5;
    assert_true(memory_write(&m, 7 * PAGE_SIZE, "x", 1));
    assert_int_equal(kvm_take_log(VM_FD, &m, 0, &log, &error), 0);
    assert_int_equal(log, 1 << 5 | 1 << 7);
    assert_int_equal(kvm_take_log(VM_FD, &m, 0, &log, &error), 0);
    assert_int_equal(log, 0);
    assert_int_equal(kvm_log_memory(VM_FD, &m, 0, false, &error), 0);
    assert_int_equal(host.slots[0].flags, 0);
    assert_true(memory_write(&m, 7 * PAGE_SIZE, "x", 1));
    host.refuses = ENOMEM;
    assert_int_equal(kvm_log_memory(VM_FD, &m, 0, true, &error), -1);
    assert_false(m.slots[0].logged);
    assert_int_equal(kvm_take_log(VM_FD, &m, 0, &log, &error), -1);
    ram_unmap(&m);
}

/* Both slots of a guest are in one file, one after the other. */
static void test_private_file(void **state)
{
    char path[] = "/tmp/test_kvm_memory.XXXXXX";
    int fd = mkstemp(path);
    struct memory m;
    struct error error;
    char byte;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 8 * PAGE_SIZE), 0);
    assert_int_equal(pwrite(fd, "A", 1, 0), 1);
    assert_int_equal(pwrite(fd, "B", 1, 4 * PAGE_SIZE), 1);
    m = (struct memory){.count = 2,
                        .slots = {{.base = 0, .size = 4 * PAGE_SIZE, .fd = -1},
                                  {.base = GIB, .size = 4 * PAGE_SIZE, .fd = -1}}};
    assert_int_equal(ram_map(&m, MEMORY_FILE, path, &error), 0);
    assert_int_equal(m.slots[0].host[0], 'A');
    assert_int_equal(m.slots[1].host[0], 'B');
    assert_true(memory_write(&m, GIB, "C", 1));
    assert_int_equal(pread(fd, &byte, 1, 4 * PAGE_SIZE), 1);
    assert_int_equal(byte, 'B');
    ram_unmap(&m);
    memory_init(&m, 0, 9 * PAGE_SIZE, NULL);
    assert_int_equal(ram_map(&m, MEMORY_FILE, path, &error), -1);
    assert_non_null(strstr(error.text, "holds 36 KiB"));
    memory_init(&m, 0, PAGE_SIZE, NULL);
    assert_int_equal(ram_map(&m, MEMORY_FILE, "/dev/zero", &error), -1);
    unlink(path);
    close(fd);
}

static void test_shared(void **state)
{
    struct memory m;
    struct error error;
    char byte = 'x';

    (void)state;
    memory_init(&m, 0, 32 * MIB, NULL);
    assert_int_equal(ram_map(&m, MEMORY_SHARED, NULL, &error), 0);
    assert_int_equal(m.slots[0].host[0], 0);
    assert_true(memory_write(&m, 5, "S", 1));
    assert_int_equal(pread(m.slots[0].fd, &byte, 1, 5), 1);
    assert_int_equal(byte, 'S');
    ram_unmap(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_slots, set_up),
        cmocka_unit_test_setup(test_log, set_up),
        cmocka_unit_test_setup(test_private_file, set_up),
        cmocka_unit_test_setup(test_shared, set_up),
    };

    return cmocka_run_group_tests_name("kvm_memory", tests, NULL, NULL);
}
