/* Unit tests of host/guard.c: truncating the file behind memory is the kind of loss that a test can
 * cause. cmocka has its own handler for the signal, so each test installs ours. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "host/events.h"
#include "host/files/files.h"
#include "host/guard.h"
#include "host/ram.h"

enum { BASE = 0x40000, SIZE = 16 * PAGE_SIZE };

static void make_memory(struct memory *memory)
{
    struct error error;

    memory_init(memory, BASE, SIZE, NULL);
    assert_int_equal(ram_map(memory, MEMORY_SHARED, NULL, &error), 0);
    memset(memory->slots[0].host, 0x55, SIZE);
    guard_add(memory);
}

static void release_memory(struct memory *memory)
{
    guard_remove(memory);
    ram_unmap(memory);
}

/* The loss is reported for that guest, with its address; the other guest, and accesses to the rest,
 * are not affected. */
static void test_a_page_is_lost(void **state)
{
    struct memory a, b;
    uint8_t bytes[4];
    gpa_t at;

    (void)state;
    guard_init();
    make_memory(&a);
    make_memory(&b);
    assert_false(guard_lost(&a, &at));
    assert_int_equal(ftruncate(a.slots[0].fd, 4 * PAGE_SIZE), 0);
    assert_true(memory_read(&a, BASE + 9 * PAGE_SIZE + 10, bytes, sizeof bytes));
    assert_memory_equal(bytes, "\0\0\0\0", 4);
    assert_true(guard_lost(&a, &at));
    assert_int_equal(at, BASE + 9 * PAGE_SIZE + 10);
    assert_true(memory_write(&a, BASE + 12 * PAGE_SIZE, bytes, sizeof bytes));
    assert_true(guard_lost(&a, &at)); /* the first loss is reported */
    assert_int_equal(at, BASE + 9 * PAGE_SIZE + 10);
    assert_true(memory_read(&a, BASE, bytes, sizeof bytes));
    assert_memory_equal(bytes, "\x55\x55\x55\x55", 4);
    assert_false(guard_lost(&b, &at));
    release_memory(&a);
    assert_false(guard_lost(&a, &at));
    release_memory(&b);
}

/* A large file is mapped: if it is truncated meanwhile, the program does not end, and the
 * truncation is detected. */
static void test_a_file_cut_while_it_is_read(void **state)
{
    enum { LARGE = 2 * 1024 * 1024 };
    char path[] = "/tmp/test_guard.XXXXXX";
    int fd = mkstemp(path);
    struct file file, again;
    struct error error;

    (void)state;
    guard_init();
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, LARGE), 0);
    assert_int_equal(pwrite(fd, "x", 1, LARGE - 1), 1);
    assert_int_equal(file_load(&file, path, LARGE, &error), 0);
    unlink(path);
    assert_true(file.mapped);
    assert_int_equal(file.bytes[LARGE - 1], 'x');
    assert_true(file_is_unchanged(&file));
    assert_int_equal(file_load_again(&again, &file, &error), 0);
    assert_int_equal(ftruncate(fd, LARGE / 2), 0);
    assert_int_equal(file.bytes[LARGE - 1], 0);
    assert_int_equal(again.bytes[LARGE / 2], 0);
    assert_false(file_is_unchanged(&file));
    assert_false(guard_remove_file(again.bytes));
    file_release(&again);
    file_release(&file);
    close(fd);
}

/* There are as many entries as guests and their files need; if none is left, a file is read instead
 * of mapped. */
static void test_more_files_than_places(void **state)
{
    enum { LARGE = 1024 * 1024, MANY = 70 };
    char path[] = "/tmp/test_guard.XXXXXX";
    int fd = mkstemp(path);
    struct file files[MANY];
    struct error error;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, LARGE), 0);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(file_load(&files[i], path, LARGE, &error), 0);
    unlink(path);
    assert_true(files[0].mapped);
    assert_false(files[MANY - 1].mapped);
    for (unsigned i = 0; i < MANY; i++)
        file_release(&files[i]);
    close(fd);
}

static void test_a_file_that_was_cut(void **state)
{
    struct memory memory;
    gpa_t at;

    (void)state;
    make_memory(&memory);
    assert_false(guard_cut_short(&memory, &at));
    assert_int_equal(ftruncate(memory.slots[0].fd, 4 * PAGE_SIZE + 1), 0);
    assert_true(guard_cut_short(&memory, &at));
    assert_int_equal(at, BASE + 5 * PAGE_SIZE);
    release_memory(&memory);
}

static void on_crash(int signal)
{
    _exit(signal == SIGBUS ? 42 : 43);
}

/* How a program with that handler ends by a bus error outside guest memory. */
static int end_with(void (*handler)(int), volatile uint8_t *bytes)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGBUS, handler);
        guard_init();
        _exit(*bytes);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* A bus error outside guest memory goes to the handler that was there before, or ends the program
 * by the signal. */
static void test_any_other_memory(void **state)
{
    struct memory memory;
    int status;

    (void)state;
    make_memory(&memory);
    guard_remove(&memory);
    assert_int_equal(ftruncate(memory.slots[0].fd, 0), 0);
    status = end_with(SIG_DFL, memory.slots[0].host);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
    status = end_with(on_crash, memory.slots[0].host);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    release_memory(&memory);
}

/* A program that uses the library does not have our handler: a large file is read instead, and may
 * be truncated. */
static void test_no_handler(void **state)
{
    enum { LARGE = 2 * 1024 * 1024 };
    char path[] = "/tmp/test_guard.XXXXXX";
    int fd = mkstemp(path);
    struct error error;
    struct file file;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, LARGE), 0);
    assert_int_equal(pwrite(fd, "x", 1, LARGE - 1), 1);
    assert_int_equal(file_load(&file, path, LARGE, &error), 0);
    unlink(path);
    assert_false(file.mapped);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(file.bytes[LARGE - 1], 'x');
    file_release(&file);
    close(fd);
}

static int make_loop(void **state)
{
    struct error error;

    (void)state;
    return events_init(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_handler), /* before the others */
        cmocka_unit_test(test_a_page_is_lost),
        cmocka_unit_test(test_a_file_cut_while_it_is_read),
        cmocka_unit_test(test_more_files_than_places),
        cmocka_unit_test(test_a_file_that_was_cut),
        cmocka_unit_test(test_any_other_memory),
    };

    return cmocka_run_group_tests_name("guard", tests, make_loop, NULL);
}
