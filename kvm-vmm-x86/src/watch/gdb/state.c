/* Packets that read and write registers, memory and breakpoints (GDB manual, E.2 "Packets"). */
#include <errno.h>
#include <string.h>

#include "watch/gdb/commands.h"

static int load(struct gdb_stub *stub, struct gdb_registers *registers)
{
    return stub->ops->read_registers(stub->context, stub->general, registers);
}

static int store(struct gdb_stub *stub, const struct gdb_registers *registers)
{
    return stub->ops->write_registers(stub->context, stub->general, registers);
}

static void put_register(struct gdb_stub *stub, const struct gdb_register *reg,
                         const struct gdb_registers *registers)
{
    uint8_t bytes[GDB_REGISTER_MAX];

    gdb_register_get(stub->arch, reg, registers, bytes);
    gdb_put_hex(&stub->reply, bytes, gdb_register_size(stub->arch, reg));
}

void gdb_on_read_all(struct gdb_stub *stub, struct gdb_scan *scan)
{
    struct gdb_registers registers;
    const struct gdb_register *reg;
    int result = load(stub, &registers);

    (void)scan;
    if (result < 0) {
        gdb_put_result(&stub->reply, result);
        return;
    }
    for (unsigned i = 0; (reg = gdb_register(stub->arch, i)) != NULL; i++)
        put_register(stub, reg, &registers);
}

void gdb_on_write_all(struct gdb_stub *stub, struct gdb_scan *scan)
{
    struct gdb_registers registers;
    const struct gdb_register *reg;
    uint8_t bytes[GDB_REGISTER_MAX] = {0};
    int result = load(stub, &registers);

    for (unsigned i = 0; result == 0 && (reg = gdb_register(stub->arch, i)) != NULL; i++) {
        if (gdb_scan_hex(scan, bytes, gdb_register_size(stub->arch, reg)))
            gdb_register_set(stub->arch, reg, &registers, bytes);
        else
            result = -EINVAL;
    }
    gdb_put_result(&stub->reply, result < 0 ? result : store(stub, &registers));
}

static const struct gdb_register *scan_register(struct gdb_stub *stub, struct gdb_scan *scan)
{
    uint64_t number;

    return gdb_scan_number(scan, &number) && number < 1024
               ? gdb_register(stub->arch, (unsigned)number)
               : NULL;
}

void gdb_on_read_one(struct gdb_stub *stub, struct gdb_scan *scan)
{
    const struct gdb_register *reg = scan_register(stub, scan);
    struct gdb_registers registers;
    int result = reg == NULL ? -EINVAL : load(stub, &registers);

    if (result < 0)
        gdb_put_result(&stub->reply, result);
    else
        put_register(stub, reg, &registers);
}

void gdb_on_write_one(struct gdb_stub *stub, struct gdb_scan *scan)
{
    const struct gdb_register *reg = scan_register(stub, scan);
    uint8_t bytes[GDB_REGISTER_MAX] = {0};
    struct gdb_registers registers;
    int result = -EINVAL;

    if (reg != NULL && gdb_scan_word(scan, "=") &&
        gdb_scan_hex(scan, bytes, gdb_register_size(stub->arch, reg)))
        result = load(stub, &registers);
    if (result == 0) {
        gdb_register_set(stub->arch, reg, &registers, bytes);
        result = store(stub, &registers);
    }
    gdb_put_result(&stub->reply, result);
}

/* As much as can be read and fits into a packet; an error only if nothing can. */
void gdb_on_read_memory(struct gdb_stub *stub, struct gdb_scan *scan)
{
    uint8_t bytes[GDB_PACKET_MAX / 2];
    uint64_t address, length;
    size_t count;

    if (!gdb_scan_range(scan, &address, &length)) {
        gdb_put_result(&stub->reply, -EINVAL);
        return;
    }
    if (length > sizeof bytes)
        length = sizeof bytes;
    count = stub->ops->read(stub->context, stub->general, address, bytes, length);
    if (count == 0 && length > 0)
        gdb_put_result(&stub->reply, -EFAULT);
    else
        gdb_put_hex(&stub->reply, bytes, count);
}

static void write_memory(struct gdb_stub *stub, uint64_t address, const void *bytes, size_t length)
{
    size_t count = stub->ops->write(stub->context, stub->general, address, bytes, length);

    gdb_put_result(&stub->reply, count == length ? 0 : -EFAULT);
}

void gdb_on_write_hex(struct gdb_stub *stub, struct gdb_scan *scan)
{
    uint8_t bytes[GDB_PACKET_MAX / 2];
    uint64_t address, length;

    if (gdb_scan_range(scan, &address, &length) && gdb_scan_word(scan, ":") &&
        length <= sizeof bytes && gdb_scan_hex(scan, bytes, length))
        write_memory(stub, address, bytes, length);
    else
        gdb_put_result(&stub->reply, -EINVAL);
}

void gdb_on_write_binary(struct gdb_stub *stub, struct gdb_scan *scan)
{
    uint64_t address, length;

    if (gdb_scan_range(scan, &address, &length) && gdb_scan_word(scan, ":") &&
        length == gdb_scan_left(scan))
        write_memory(stub, address, scan->at, length);
    else
        gdb_put_result(&stub->reply, -EINVAL);
}

static bool scan_breakpoint(struct gdb_scan *scan, struct gdb_breakpoint *breakpoint)
{
    uint64_t type, length;

    if (!gdb_scan_number(scan, &type) || type > GDB_WATCH_ACCESS || !gdb_scan_word(scan, ",") ||
        !gdb_scan_range(scan, &breakpoint->address, &length) || length > UINT32_MAX)
        return false;
    breakpoint->type = (enum gdb_breakpoint_type)type;
    breakpoint->length = (uint32_t)length;
    return true;
}

/* Reads alone cannot be watched on x86: the empty answer lets gdb watch accesses instead. */
void gdb_on_insert(struct gdb_stub *stub, struct gdb_scan *scan)
{
    struct gdb_breakpoint breakpoint = {0};

    if (!scan_breakpoint(scan, &breakpoint))
        gdb_put_result(&stub->reply, -EINVAL);
    else if (breakpoint.type != GDB_WATCH_READ)
        gdb_put_result(&stub->reply, stub->ops->insert(stub->context, stub->general, &breakpoint));
}

void gdb_on_remove(struct gdb_stub *stub, struct gdb_scan *scan)
{
    struct gdb_breakpoint breakpoint = {0};

    if (!scan_breakpoint(scan, &breakpoint)) {
        gdb_put_result(&stub->reply, -EINVAL);
        return;
    }
    if (breakpoint.type == GDB_WATCH_READ)
        return;
    stub->ops->remove(stub->context, &breakpoint);
    gdb_put_text(&stub->reply, "OK");
}
