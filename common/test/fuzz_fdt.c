/* Arbitrary bytes as a device tree: opening it and reading each node must stay within these
 * bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/fdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_everything(const struct fdt *fdt, int node)
{
    struct fdt_property p;
    uint64_t address, length;
    uint32_t cell;
    int steps = 0;

    (void)fdt_name(fdt, node);
    (void)fdt_text(fdt, node, "compatible");
    (void)fdt_is_compatible(fdt, node, "riscv");
    (void)fdt_number(fdt, node, "phandle", 0);
    for (unsigned i = 0; i < 4; i++)
        (void)fdt_reg(fdt, node, i, &address, &length);
    if (fdt_property(fdt, node, "reg", &p))
        for (unsigned i = 0; fdt_cell(&p, i, &cell); i++)
            ;
    for (int child = fdt_child(fdt, node); child >= 0; child = fdt_sibling(fdt, child))
        if (++steps > 1000000)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t address, length;
    struct fdt fdt;
    int nodes = 0;

    if (fdt_open(&fdt, data, size) != FDT_OK)
        return 0;
    for (unsigned i = 0; fdt_reservation(&fdt, i, &address, &length); i++)
        ;
    for (int node = fdt_root(&fdt); node >= 0 && nodes < 64; node = fdt_next(&fdt, node), nodes++)
        ask_everything(&fdt, node);
    (void)fdt_find(&fdt, "/soc/serial@10000000");
    (void)fdt_find_phandle(&fdt, 1);
    return 0;
}
