/* Unit tests of host/files/folder_make.c, and of folder.c: a signal may come at any moment, and the
 * folder exists as a whole or not at all. A child process makes it, and the calls below send it the
 * signal. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"

static const char *moment; /* a call; NULL: none */
static int sent;
static bool writes_nothing;
static char scratch[] = "/tmp/test_folder.XXXXXX", saved[48], partial[64];

static void now(const char *call)
{
    if (moment != NULL && strcmp(moment, call) == 0)
        raise(sent);
}

static int mkdir_then(const char *name, mode_t mode)
{
    int result = mkdir(name, mode);

    now("mkdir");
    return result;
}

static int fsync_when(int fd)
{
    now("fsync");
    return fsync(fd);
}

static int rename_then(const char *from, const char *to)
{
    int result = rename(from, to);

    now("rename");
    return result;
}

static ssize_t pwrite_or_not(int fd, const void *bytes, size_t size, off_t at)
{
    return writes_nothing ? 0 : pwrite(fd, bytes, size, at);
}

/* Included with these calls replaced, instead of linked. */
#define mkdir  mkdir_then
#define fsync  fsync_when
#define rename rename_then
#define pwrite pwrite_or_not
#include "host/files/folder.c"
#include "host/files/folder_make.c"

static bool is_used(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "kept") == 0;
}

static void make_one(void)
{
    struct folder_files files = {.names = {"kept", "unused"}, .count = 2};
    struct error error;

    if (folder_make(saved, &files, &error) < 0)
        _exit(1);
    now("between");
    folder_close_files(&files);
    if (folder_commit(is_used, NULL, &error) < 0)
        _exit(2);
    now("after");
    _exit(0);
}

/* Runs a child; returns its status, or 128 plus the signal. */
static int end_of_a_child(const char *when, int number, void (*action)(int))
{
    int status;
    pid_t child;

    moment = when;
    sent = number;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(number, action);
        make_one();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_there(const char *folder, const char *name)
{
    char joined[96];

    snprintf(joined, sizeof joined, "%s/%s", folder, name);
    return access(joined, F_OK) == 0;
}

/* Checks that the folder is complete; removes it. */
static void assert_whole(void)
{
    char kept[96];

    assert_true(is_there(saved, "kept"));
    assert_false(is_there(saved, "unused") || is_there(partial, ""));
    snprintf(kept, sizeof kept, "%s/kept", saved);
    assert_int_equal(unlink(kept), 0);
    assert_int_equal(rmdir(saved), 0);
}

static void test_interrupted(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    static const char *const before[] = {"mkdir", "between", "fsync"}, *const behind[] = {"rename",
                                                                                          "after"};

    (void)state;
    for (unsigned s = 0; s < 3; s++) {
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(end_of_a_child(before[i], signals[s], SIG_DFL), 128 + signals[s]);
            assert_false(is_there(partial, "") || is_there(saved, ""));
        }
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(end_of_a_child(behind[i], signals[s], SIG_DFL), 128 + signals[s]);
            assert_whole();
        }
    }
    assert_int_equal(end_of_a_child(NULL, SIGINT, SIG_DFL), 0);
    assert_whole();
}

/* As nohup starts it. */
static void test_ignored(void **state)
{
    static const char *const moments[] = {"mkdir", "between", "fsync", "rename", "after"};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(end_of_a_child(moments[i], SIGHUP, SIG_IGN), 0);
        assert_whole();
    }
}

/* A file system that writes no bytes and returns no error. */
static void test_nothing_written(void **state)
{
    static const bool never;
    struct folder_files files = {.names = {"kept"}, .count = 1};
    struct folder folder;
    struct error error;
    uint32_t sum;

    (void)state;
    moment = NULL;
    assert_int_equal(folder_make(saved, &files, &error), 0);
    folder_open(&folder, saved, &files, &never);
    writes_nothing = true;
    assert_int_equal(folder_put(&folder, "kept", "bytes", 5, &sum, &error), -1);
    writes_nothing = false;
    assert_non_null(strstr(error.text, strerror(EIO)));
    folder_abandon();
    assert_false(is_there(partial, ""));
}

static int make_scratch(void **state)
{
    (void)state;
    if (mkdtemp(scratch) == NULL)
        return -1;
    snprintf(saved, sizeof saved, "%s/saved", scratch);
    snprintf(partial, sizeof partial, "%s.tmp", saved);
    return 0;
}

static int remove_scratch(void **state)
{
    (void)state;
    return rmdir(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_nothing_written),
    };

    return cmocka_run_group_tests_name("folder", tests, make_scratch, remove_scratch);
}
