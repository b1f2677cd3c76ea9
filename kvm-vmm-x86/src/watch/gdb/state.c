/* Packets that read and write registers, memory and breakpoints (GDB manual, E.2 "Packets"). */
#include <errno.h>
#include <string.h>

#include "watch/gdb/stub.h"

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

int gdb_on_read_all(struct gdb_stub *stub)
{
    struct gdb_registers registers;
    const struct gdb_register *reg;
    int result = load(stub, &registers);

    for (unsigned i = 0; result == 0 && (reg = gdb_register(stub->arch, i)) != NULL; i++)
        put_register(stub, reg, &registers);
    return result < 0 ? result : GDB_ANSWERED;
}

int gdb_on_write_all(struct gdb_stub *stub)
{
    struct gdb_registers registers;
    const struct gdb_register *reg;
    uint8_t bytes[GDB_REGISTER_MAX] = {0};
    int result = load(stub, &registers);

    for (unsigned i = 0; result == 0 && (reg = gdb_register(stub->arch, i)) != NULL; i++) {
        if (!gdb_scan_hex(&stub->scan, bytes, gdb_register_size(stub->arch, reg)))
            return -EINVAL;
        gdb_register_set(stub->arch, reg, &registers, bytes);
    }
    return result < 0 ? result : store(stub, &registers);
}

static const struct gdb_register *scan_register(struct gdb_stub *stub)
{
    uint64_t number;

    return gdb_scan_number(&stub->scan, &number) && number < 1024
               ? gdb_register(stub->arch, (unsigned)number)
               : NULL;
}

int gdb_on_read_one(struct gdb_stub *stub)
{
    const struct gdb_register *reg = scan_register(stub);
    struct gdb_registers registers;
    int result = reg == NULL ? -EINVAL : load(stub, &registers);

    if (result < 0)
        return result;
    put_register(stub, reg, &registers);
    return GDB_ANSWERED;
}

int gdb_on_write_one(struct gdb_stub *stub)
{
    const struct gdb_register *reg = scan_register(stub);
    uint8_t bytes[GDB_REGISTER_MAX] = {0};
    struct gdb_registers registers;
    int result;

    if (reg == NULL || !gdb_scan_word(&stub->scan, "=") ||
        !gdb_scan_hex(&stub->scan, bytes, gdb_register_size(stub->arch, reg)))
        return -EINVAL;
    result = load(stub, &registers);
    if (result < 0)
        return result;
    gdb_register_set(stub->arch, reg, &registers, bytes);
    return store(stub, &registers);
}

/* Reads as much as possible and as fits into a packet; an error only if nothing can be read. */
int gdb_on_read_memory(struct gdb_stub *stub)
{
    uint8_t bytes[GDB_PACKET_MAX / 2];
    uint64_t address, length;
    size_t count;

    if (!gdb_scan_range(&stub->scan, &address, &length))
        return -EINVAL;
    if (length > sizeof bytes)
        length = sizeof bytes;
    count = stub->ops->read(stub->context, stub->general, address, bytes, length);
    if (count == 0 && length > 0)
        return -EFAULT;
    gdb_put_hex(&stub->reply, bytes, count);
    return GDB_ANSWERED;
}

/* ADDRESS,LENGTH and a colon, before the bytes. */
static bool scan_place(struct gdb_stub *stub, uint64_t *address, uint64_t *length)
{
    return gdb_scan_range(&stub->scan, address, length) && gdb_scan_word(&stub->scan, ":");
}

static int write_memory(struct gdb_stub *stub, uint64_t address, const void *bytes, size_t length)
{
    size_t count = stub->ops->write(stub->context, stub->general, address, bytes, length);

    return count == length ? 0 : -EFAULT;
}

int gdb_on_write_hex(struct gdb_stub *stub)
{
    uint8_t bytes[GDB_PACKET_MAX / 2];
    uint64_t address, length;

    if (!scan_place(stub, &address, &length) || length > sizeof bytes ||
        !gdb_scan_hex(&stub->scan, bytes, length))
        return -EINVAL;
    return write_memory(stub, address, bytes, length);
}

int gdb_on_write_binary(struct gdb_stub *stub)
{
    uint64_t address, length;

    if (!scan_place(stub, &address, &length) || length != gdb_scan_left(&stub->scan))
        return -EINVAL;
    return write_memory(stub, address, stub->scan.at, length);
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

/* x86 cannot watch reads alone: after the empty answer ("not supported") gdb watches accesses
 * instead. */
int gdb_on_insert(struct gdb_stub *stub)
{
    struct gdb_breakpoint breakpoint = {0};

    if (!scan_breakpoint(&stub->scan, &breakpoint))
        return -EINVAL;
    return breakpoint.type == GDB_WATCH_READ
               ? GDB_ANSWERED
               : stub->ops->insert(stub->context, stub->general, &breakpoint);
}

int gdb_on_remove(struct gdb_stub *stub)
{
    struct gdb_breakpoint breakpoint = {0};

    if (!scan_breakpoint(&stub->scan, &breakpoint))
        return -EINVAL;
    if (breakpoint.type == GDB_WATCH_READ)
        return GDB_ANSWERED;
    stub->ops->remove(stub->context, &breakpoint);
    return 0;
}
