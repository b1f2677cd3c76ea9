/* Unit tests of vm/observer.c: each hook calls the observers that have it, with their own context.
 */
#include "cmocka_all.h"
#include "vm/observer.c" /* no unit test links it */

static unsigned ended[2], printed;

static void on_ended(void *context, struct vm *vm)
{
    assert_non_null(vm);
    (*(unsigned *)context)++;
}

static void on_output(void *context, struct vm *vm, const uint8_t *bytes, size_t count)
{
    assert_ptr_equal(context, &printed);
    assert_true(vm != NULL && bytes != NULL);
    printed += (unsigned)count;
}

static void test_hooks(void **state)
{
    static const struct observer first = {.name = "first", .ended = on_ended};
    static const struct observer second = {.name = "second", .output = on_output};
    static const struct observer third = {.name = "third", .timed = true, .ended = on_ended};
    struct observers observers = {0};
    struct vm vm = {.observers = &observers};

    (void)state;
    observers_ended(&vm);
    assert_int_equal(observers_add(&observers, &first, &ended[0]), 0);
    assert_int_equal(observers_add(&observers, &second, &printed), 1);
    assert_false(observers.timed);
    assert_int_equal(observers_add(&observers, &third, &ended[1]), 2);
    assert_true(observers.timed);
    observers_ended(&vm);
    assert_int_equal(ended[0], 1);
    assert_int_equal(ended[1], 1);
    observers_output(&vm, (const uint8_t *)"abc", 3);
    assert_int_equal(printed, 3);
    assert_int_equal(ended[1], 1);
    assert_ptr_equal(observers_context(&vm, &third), &ended[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hooks)};

    return cmocka_run_group_tests_name("observer", tests, NULL, NULL);
}
