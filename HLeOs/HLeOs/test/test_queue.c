/* Unit tests of std/queue.c: the ring of words and the list of links. */
#include "unit.h"

#include "std/queue.h"

static void test_ring(void **state)
{
    uintptr_t slots[5], word, next_in = 0, next_out = 0;
    struct queue queue = QUEUE_INIT(slots);

    (void)state;
    srand(2);
    assert_false(queue_pop(&queue, &word));
    for (int round = 0; round < 10000; round++) {
        if (rand() & 1) {
            bool room = next_in - next_out < 5;

            assert_int_equal(queue_push(&queue, next_in), room);
            next_in += room;
        } else {
            bool there = next_in != next_out;

            assert_int_equal(queue_pop(&queue, &word), there);
            if (there)
                assert_int_equal(word, next_out++);
        }
    }
}

struct item {
    int number;
    struct queue_link link;
};

static int pop_number(struct queue_list *list)
{
    struct queue_link *link = queue_list_pop(list);

    return link != NULL ? queue_entry(link, struct item, link)->number : -1;
}

static void test_list(void **state)
{
    struct queue_list list = {0};
    struct item items[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};

    (void)state;
    assert_true(queue_list_empty(&list));
    assert_null(queue_list_first(&list));
    assert_int_equal(pop_number(&list), -1);
    queue_list_push(&list, &items[0].link);
    queue_list_push(&list, &items[1].link);
    queue_list_push(&list, &items[3].link);
    queue_list_insert(&items[3].link, &items[2].link);
    queue_list_remove(&items[1].link);
    assert_ptr_equal(queue_list_after(&list, &items[0].link), &items[2].link);
    assert_null(queue_list_after(&list, &items[3].link));
    assert_int_equal(pop_number(&list), 0);
    assert_int_equal(pop_number(&list), 2);
    assert_int_equal(pop_number(&list), 3);
    assert_true(queue_list_empty(&list));
    assert_null(items[3].link.next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ring), cmocka_unit_test(test_list)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
