/* Unit tests of fuzz/corpus.c: what an earlier run has left in a folder stays there. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "fuzz/corpus.h"

static struct corpus corpus;
static char folder[64];
static struct error error;

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_corpus.XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    corpus_close(&corpus);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void put(const char *name, const char *text)
{
    assert_int_equal(corpus_write(folder, name, text, strlen(text), &error), 0);
}

static void must_be(const char *name, const char *text)
{
    char path[128], bytes[64] = "";
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, bytes, sizeof bytes - 1) >= 0);
    close(fd);
    assert_string_equal(bytes, text);
}

static void add(const char *text, bool save)
{
    assert_int_equal(corpus_add(&corpus, (const uint8_t *)text, strlen(text), save, &error), 0);
}

/* An input that is not saved takes no name; the name of one that was removed is used again. */
static void test_inputs_keep_their_names(void **state)
{
    (void)state;
    put("input-000002", "two");
    put("given", "given");
    assert_int_equal(corpus_open(&corpus, folder, 64, &error), 0);
    assert_int_equal(corpus.count, 2);
    assert_memory_equal(corpus.inputs[0].bytes, "given", 5);
    add("", false);
    add("new", true);
    add("newer", true);
    must_be("input-000001", "new");
    must_be("input-000002", "two");
    must_be("input-000003", "newer");
}

static void test_a_second_run(void **state)
{
    unsigned number = 0, again = 0;

    (void)state;
    assert_int_equal(corpus_write_new(folder, "crash", 1, &number, "a", 1, &error), 0);
    assert_int_equal(number, 1);
    put("crash-2.txt", "of an input that was taken away");
    assert_int_equal(corpus_write_new(folder, "crash", 1, &again, "b", 1, &error), 0);
    assert_int_equal(again, 3);
    must_be("crash-1", "a");
    must_be("crash-3", "b");
}

static void test_no_number_is_left(void **state)
{
    unsigned number = 999998;

    (void)state;
    assert_int_equal(corpus_write_new(folder, "crash", 1, &number, "a", 1, &error), 0);
    assert_int_equal(corpus_write_new(folder, "crash", 1, &number, "b", 1, &error), -1);
    assert_non_null(strstr(error.text, "crash-999999 are in use"));
    must_be("crash-999999", "a");
}

static void test_too_many_files(void **state)
{
    char path[128];

    (void)state;
    for (unsigned i = 0; i < CORPUS_MAX; i++) {
        snprintf(path, sizeof path, "%s/.%u", folder, i);
        assert_int_equal(symlink("nothing", path), 0);
    }
    assert_int_equal(corpus_open(&corpus, folder, 64, &error), 0);
    assert_int_equal(corpus.count, 0);
    put("one more", "");
    assert_int_equal(corpus_open(&corpus, folder, 64, &error), -1);
    assert_non_null(strstr(error.text, "more than 16384 files"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_inputs_keep_their_names, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_second_run, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_no_number_is_left, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_too_many_files, make_folder, remove_folder),
    };

    return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
