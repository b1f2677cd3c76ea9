/* Unit tests of base/endpoint.c: what --gdb takes, and what it refuses. */
#include <string.h>

#include "base/endpoint.h"
#include "cmocka_all.h"

static void test_endpoints(void **state)
{
    static const char *const bad[] = {"",      "x",    "65536", ":1234", "host:", "1234x",
                                      "unix:", "[]:1", "-1",    "a:b:",  " 1"};
    struct endpoint e;
    struct error error;
    char path[200] = "unix:";

    (void)state;
    assert_int_equal(endpoint_parse(&e, "1234", 0, &error), 0);
    assert_string_equal(e.host, "127.0.0.1");
    assert_int_equal(e.port, 1234);
    assert_int_equal(endpoint_parse(&e, "0.0.0.0:1", 3, &error), 0);
    assert_string_equal(e.host, "0.0.0.0");
    assert_int_equal(e.port, 4);
    assert_int_equal(endpoint_parse(&e, "[::1]:0", 3, &error), 0);
    assert_string_equal(e.host, "::1");
    assert_int_equal(e.port, 0);
    assert_int_equal(endpoint_parse(&e, "unix:/a/b", 0, &error), 0);
    assert_string_equal(e.path, "/a/b");
    assert_int_equal(endpoint_parse(&e, "unix:/a/b", 2, &error), 0);
    assert_string_equal(e.path, "/a/b.2");
    assert_int_equal(endpoint_unix(&e, "--serial", "/a", 3, &error), 0);
    assert_string_equal(e.path, "/a.3");
    assert_int_equal(endpoint_unix(&e, "--serial", "", 0, &error), -1);
    assert_non_null(strstr(error.text, "--serial unix:"));
    assert_int_equal(endpoint_parse(&e, "65535", 1, &error), -1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(endpoint_parse(&e, bad[i], 0, &error), -1);
    memset(path + 5, 'p', 107);
    assert_int_equal(endpoint_parse(&e, path, 0, &error), 0);
    assert_int_equal(strlen(e.path), 107);
    assert_int_equal(endpoint_parse(&e, path, 1, &error), -1);
    path[5 + 107] = 'p';
    assert_int_equal(endpoint_parse(&e, path, 0, &error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_endpoints)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
