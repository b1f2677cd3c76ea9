/* DBCN (SBI 12): a console through shared memory. Every byte of the guest's buffer is checked by
 * memory_read() and memory_write(), page by page. */
#include "sbi/extension.h"

#include "vm/console.h"
#include "vm/memory.h"

enum { CHUNK = 256, CALL_MAX = 4096 }; /* longer writes are cut, which SBI allows */

static struct sbi_result console_write_out(struct vcpu *v, uint64_t count, gpa_t from)
{
    uint64_t done = 0;
    char text[CHUNK];

    for (count = min64(count, CALL_MAX); done < count;) {
        uint64_t n = min64(count - done, sizeof text), taken;

        if (!memory_read(v->vm, from + done, text, n))
            return sbi_error(SBI_INVALID_PARAM);
        taken = vm_hooks.output(v->vm, text, n);
        done += taken;
        if (taken < n)
            break;
    }
    return sbi_value(done);
}

static struct sbi_result console_read_in(struct vcpu *v, uint64_t count, gpa_t to)
{
    char text[CHUNK];
    uint64_t n = 0;
    int byte;

    while (n < min64(count, sizeof text) && (byte = console_take(v->vm)) >= 0)
        text[n++] = (char)byte;
    if (!memory_write(v->vm, to, text, n))
        return sbi_error(SBI_INVALID_PARAM);
    return sbi_value(n);
}

struct sbi_result sbi_dbcn(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    char c = (char)a[0];

    if (function == DBCN_WRITE_BYTE) {
        return vm_hooks.output(v->vm, &c, 1) == 1 ? sbi_value(0) : sbi_error(SBI_FAILED);
    }
    if (function != DBCN_WRITE && function != DBCN_READ)
        return sbi_error(SBI_NOT_SUPPORTED);
    /* a2 has the upper half of the address, which is 0 for a 64-bit guest. */
    if (a[2] != 0 || !vm_contains(v->vm, a[1], a[0]))
        return sbi_error(SBI_INVALID_PARAM);
    return function == DBCN_WRITE ? console_write_out(v, a[0], a[1])
                                  : console_read_in(v, a[0], a[1]);
}
