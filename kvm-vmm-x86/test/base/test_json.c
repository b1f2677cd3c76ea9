/* Unit tests of base/json.c. */
#include "base/json.h"

#include <string.h>

#include "cmocka_all.h"

static struct json json;
static char text[4096];
static struct error error;

static int parse(const char *what)
{
    strcpy(text, what);
    return json_parse(&json, text, strlen(text), &error);
}

static void test_values(void **state)
{
    const struct json_value *list, *in;
    const char *word;
    uint64_t number;
    bool truth;

    (void)state;
    assert_int_equal(parse(" {\"a\": [1, \"two\", {\"x\": false}, []], \"n\":18446744073709551615,"
                           "\"s\":\"q\\\"\\u00e9\\ud83d\\ude00\\n\", \"z\":null,\"t\":true}\r\n"),
                     0);
    list = json_member(&json, json.values, "a");
    assert_int_equal(list->number, 4);
    assert_int_equal(json_element(&json, list, 0)->number, 1);
    assert_string_equal(json_element(&json, list, 1)->text, "two");
    in = json_element(&json, list, 2);
    assert_true(json_get_bool(&json, in, "x", &truth) && !truth);
    assert_null(json_element(&json, list, 4));
    assert_int_equal(json_element(&json, list, 3)->number, 0);
    assert_true(json_get_number(&json, json.values, "n", &number) && number == UINT64_MAX);
    assert_true(json_get_string(&json, json.values, "s", &word));
    assert_string_equal(word, "q\"\xc3\xa9\xf0\x9f\x98\x80\n");
    assert_int_equal(json_member(&json, json.values, "z")->kind, JSON_NULL);
    assert_true(json_get_bool(&json, json.values, "t", &truth) && truth);
    assert_null(json_member(&json, json.values, "x")); /* it is nested deeper */
    assert_false(json_get_string(&json, json.values, "n", &word));
    assert_null(json_member(&json, list, "a"));
}

static void test_what_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "}",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "[1 2]",
                                      "01",
                                      "-1",
                                      "1.5",
                                      "1e3",
                                      "tru",
                                      "nul",
                                      "\"",
                                      "\"\\\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\t\"",
                                      "1 1",
                                      "[1]]",
                                      "18446744073709551616",
                                      "{\"a\":1,\"a\":2}",
                                      "[[[[[[[[[[1]]]]]]]]]]",
                                      ","};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(bad[i]) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_non_null(strstr(error.text, "at byte"));
    }
}

static void test_too_many(void **state)
{
    size_t at = 0;

    (void)state;
    text[at++] = '[';
    for (unsigned i = 0; i < JSON_VALUES_MAX; i++) {
        text[at++] = '1';
        text[at++] = ',';
    }
    text[at - 1] = ']';
    assert_int_equal(json_parse(&json, text, at, &error), -1);
    assert_non_null(strstr(error.text, "too many"));
    text[at - 3] = ']';
    assert_int_equal(json_parse(&json, text, at - 2, &error), 0);
}

/* What is written is read back. */
static void test_written(void **state)
{
    char bytes[256];
    struct json_out out = json_out(bytes, sizeof bytes);
    const char *word;

    (void)state;
    json_open(&out, NULL, '{');
    json_string(&out, "s", "a\"\\\x01\x7f\n\xff");
    json_open(&out, "l", '[');
    json_number(&out, NULL, UINT64_MAX);
    json_bool(&out, NULL, true);
    json_close(&out, ']');
    json_bool(&out, "b", false);
    json_close(&out, '}');
    assert_false(out.full);
    assert_int_equal(strlen(bytes), out.used);
    assert_int_equal(parse(bytes), 0);
    assert_true(json_get_string(&json, json.values, "s", &word));
    assert_string_equal(word, "a\"\\\x01\x7f\n\xff");
    for (size_t room = 1; room <= out.used; room++) {
        struct json_out small = json_out(bytes, room);

        json_string(&small, NULL, "a\"\\\x01 and so on, longer than all before; and that again");
        assert_true(small.used < room);
    }
}

/* A guest's text is UTF-8 whatever it printed; a path keeps its bytes. */
static void test_text(void **state)
{
    static const char printed[] = "a\0<\xc3\xa9\xff\xe2\x82";
    char bytes[128];
    struct json_out out = json_out(bytes, sizeof bytes);

    (void)state;
    json_open(&out, NULL, '{');
    json_text(&out, "t", printed, sizeof printed - 1);
    json_bytes(&out, "p", "\xff", 1);
    json_close(&out, '}');
    assert_string_equal(bytes, "{\"t\":\"a\\u0000\\u003c\xc3\xa9\\ufffd\\ufffd\",\"p\":\"\xff\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_too_many), cmocka_unit_test(test_written),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
