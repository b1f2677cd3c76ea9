/* Device trees: the reader reads what the writer writes, and refuses damaged trees instead of
 * following them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fdt.h"

/* A small machine: two harts, memory, a serial port below /soc. */
static int write_machine(void *buffer, size_t size)
{
    struct fdt_writer w;

    fdt_start(&w, buffer, size);
    fdt_begin_node(&w, "");
    fdt_put_u32(&w, "#address-cells", 2);
    fdt_put_u32(&w, "#size-cells", 2);
    fdt_put(&w, "compatible", "first,board\0second,board", 25);
    fdt_begin_node(&w, "cpus");
    fdt_put_u32(&w, "#address-cells", 1);
    fdt_put_u32(&w, "#size-cells", 0);
    fdt_put_u32(&w, "timebase-frequency", 10000000);
    for (uint32_t i = 0; i < 2; i++) {
        fdt_begin_node_at(&w, "cpu", i);
        fdt_put_u32(&w, "reg", i);
        fdt_put_u32(&w, "phandle", i + 1);
        fdt_end_node(&w);
    }
    fdt_end_node(&w);
    fdt_begin_node_at(&w, "memory", 0x80000000);
    fdt_put_reg(&w, 0x80000000, 0x123456789000);
    fdt_end_node(&w);
    fdt_begin_node(&w, "soc");
    fdt_put_u32(&w, "#address-cells", 2);
    fdt_put_u32(&w, "#size-cells", 2);
    fdt_begin_node_at(&w, "serial", 0x10000000);
    fdt_put_text(&w, "compatible", "ns16550a");
    fdt_put_reg(&w, 0x10000000, 0x100);
    fdt_put_u64(&w, "wide", 0x1122334455667788);
    fdt_end_node(&w);
    fdt_end_node(&w);
    fdt_end_node(&w);
    return fdt_finish(&w);
}

static void reads_what_it_wrote(void **state)
{
    uint8_t buffer[2048];
    int size = write_machine(buffer, sizeof buffer);
    uint64_t address, length;
    struct fdt fdt;
    int node;

    (void)state;
    assert_true(size > 0);
    assert_int_equal(fdt_size(buffer), size);
    assert_int_equal(fdt_open(&fdt, buffer, (size_t)size), FDT_OK);
    assert_true(fdt_is_compatible(&fdt, fdt_root(&fdt), "second,board"));
    assert_false(fdt_is_compatible(&fdt, fdt_root(&fdt), "second"));
    assert_int_equal(fdt_number(&fdt, fdt_find(&fdt, "/cpus"), "timebase-frequency", 0), 10000000);
    node = fdt_find(&fdt, "/cpus/cpu@1");
    assert_string_equal(fdt_name(&fdt, node), "cpu@1");
    assert_true(fdt_reg(&fdt, node, 0, &address, &length));
    assert_int_equal(address, 1);
    assert_int_equal(fdt_parent(&fdt, node), fdt_find(&fdt, "/cpus"));
    assert_int_equal(fdt_find_phandle(&fdt, 2), node);
    assert_int_equal(fdt_sibling(&fdt, node), -1);
    assert_true(fdt_reg(&fdt, fdt_find(&fdt, "/memory"), 0, &address, &length));
    assert_true(address == 0x80000000 && length == 0x123456789000);
    assert_false(fdt_reg(&fdt, fdt_find(&fdt, "/memory"), 1, &address, &length));
    node = fdt_find_compatible(&fdt, -1, "ns16550a");
    assert_int_equal(node, fdt_find(&fdt, "/soc/serial"));
    assert_true(fdt_number(&fdt, node, "wide", 0) == 0x1122334455667788);
    assert_string_equal(fdt_text(&fdt, node, "compatible"), "ns16550a");
    assert_int_equal(fdt_find(&fdt, "/soc/nothing"), -1);
    assert_false(fdt_reservation(&fdt, 0, &address, &length));
}

static void walks_every_node_once(void **state)
{
    uint8_t buffer[2048];
    struct fdt fdt;
    int count = 0, children = 0;

    (void)state;
    assert_int_equal(fdt_open(&fdt, buffer, (size_t)write_machine(buffer, sizeof buffer)), FDT_OK);
    for (int node = fdt_root(&fdt); node >= 0; node = fdt_next(&fdt, node))
        count++;
    assert_int_equal(count, 7);
    for (int n = fdt_child(&fdt, fdt_root(&fdt)); n >= 0; n = fdt_sibling(&fdt, n))
        children++;
    assert_int_equal(children, 3);
}

static void refuses_every_truncation(void **state)
{
    uint8_t buffer[2048];
    int size = write_machine(buffer, sizeof buffer);

    (void)state;
    for (int cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc((size_t)cut + 1); /* of this size: ASan sees reads beyond it */
        struct fdt fdt;

        memcpy(copy, buffer, (size_t)cut);
        assert_int_not_equal(fdt_open(&fdt, copy, (size_t)cut), FDT_OK);
        free(copy);
    }
}

static void survives_every_flipped_byte(void **state)
{
    uint8_t buffer[2048];
    int size = write_machine(buffer, sizeof buffer);
    int refused = 0;

    (void)state;
    for (int at = 0; at < size; at++) {
        uint8_t *copy = malloc((size_t)size);
        struct fdt fdt;
        int limit = 0;

        memcpy(copy, buffer, (size_t)size);
        copy[at] ^= 0xff;
        if (fdt_open(&fdt, copy, (size_t)size) != FDT_OK)
            refused++;
        else
            for (int n = fdt_root(&fdt); n >= 0; n = fdt_next(&fdt, n))
                assert_true(++limit < 100);
        free(copy);
    }
    assert_true(refused > 50);
}

static void writer_reports_lack_of_space(void **state)
{
    uint8_t buffer[2048];
    int size = write_machine(buffer, sizeof buffer);
    struct fdt_writer w;

    (void)state;
    for (size_t room = FDT_HEADER_SIZE; room < (size_t)size; room += 7)
        assert_int_equal(write_machine(buffer, room), FDT_NO_SPACE);
    fdt_start(&w, buffer, sizeof buffer);
    fdt_begin_node(&w, "");
    assert_int_equal(fdt_finish(&w), FDT_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote), cmocka_unit_test(walks_every_node_once),
        cmocka_unit_test(refuses_every_truncation), cmocka_unit_test(survives_every_flipped_byte),
        cmocka_unit_test(writer_reports_lack_of_space)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
