/*
 * What the programs that test system calls share. Each test runs in a process of its own. After it
 * as many pages of memory and blocks of the disk must be free as before, and no more of the
 * kernel's heap be in use.
 */
#ifndef USER_TESTING_H
#define USER_TESTING_H

#include "lib.h"

enum { PAGE = 4096 };

struct test {
    const char *name;
    void (*run)(void);
};

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

/* Runs the tests of a table that ends with an entry whose name is NULL, or only the one of that
 * name; 0 if all passed, and there was one. `directory`: made for each test, which runs in it and
 * leaves it empty; removed after the test, as a directory never shrinks. */
int testing_run(const char *program, const struct test *tests, const char *directory,
                const char *only);

/* Ends the test and the process if the condition is false. */
#define check(condition) ((condition) ? (void)0 : testing_fail(__LINE__, #condition))
void testing_fail(int line, const char *what);

/* fork(), and the status of the next child to end, where they cannot fail. */
#define fork_or_fail() testing_fork(__LINE__)
#define reap()         testing_reap(__LINE__)
int testing_fork(int line);
int testing_reap(int line);

/* False, after a message, if no disk has a file system. */
bool testing_disk(void);

/* Addresses that are not a program's. */
enum { TESTING_BAD = 6 };
extern const uintptr_t testing_bad[TESTING_BAD];
#define FOR_BAD(address)                                                                           \
    for (const uintptr_t *address = testing_bad; address < testing_bad + TESTING_BAD; address++)

#endif
