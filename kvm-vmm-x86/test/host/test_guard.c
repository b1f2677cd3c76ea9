/* Unit tests of host/guard.c: memory whose file is cut short is the loss that a test can make.
 * cmocka has a handler of its own for the signal, so each test installs ours. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "host/events.h"
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

/* The loss is that guest's, with its address; the other goes on, and so do accesses to the rest. */
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
    assert_true(guard_lost(&a, &at)); /* the first one is told */
    assert_int_equal(at, BASE + 9 * PAGE_SIZE + 10);
    assert_true(memory_read(&a, BASE, bytes, sizeof bytes));
    assert_memory_equal(bytes, "\x55\x55\x55\x55", 4);
    assert_false(guard_lost(&b, &at));
    release_memory(&a);
    assert_false(guard_lost(&a, &at));
    release_memory(&b);
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

/* What is no guest's memory ends the program by the signal. */
static void test_any_other_memory(void **state)
{
    struct memory memory;
    int status;
    pid_t child;

    (void)state;
    make_memory(&memory);
    guard_remove(&memory);
    assert_int_equal(ftruncate(memory.slots[0].fd, 0), 0);
    child = fork();
    if (child == 0) {
        guard_init();
        _exit(*(volatile uint8_t *)memory.slots[0].host);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
    release_memory(&memory);
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
        cmocka_unit_test(test_a_page_is_lost),
        cmocka_unit_test(test_a_file_that_was_cut),
        cmocka_unit_test(test_any_other_memory),
    };

    return cmocka_run_group_tests_name("guard", tests, make_loop, NULL);
}
