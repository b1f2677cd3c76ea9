/* Checked access to the memory of the running program; see program_memory.h. */
#include "kernel/memory/program_memory.h"

#include <stdbool.h>
#include <stddef.h>

#include "include/system.h"
#include "kernel/cpu/x86.h"
#include "kernel/memory/image.h"
#include "kernel/memory/space.h"

static bool allowed(uint32_t address, uint32_t length, unsigned rights)
{
    uint32_t space = x86_read_cr3();

    if (address >= PROGRAM_END || length > PROGRAM_END - address)
        return false;
    for (uint32_t at = address & -PAGE_SIZE; at < address + length; at += PAGE_SIZE)
        if (space_find(space, at, rights | SPACE_PROGRAM) == NULL)
            return false;
    return true;
}

const void *program_memory_in(uint32_t address, uint32_t length)
{
    return allowed(address, length, SPACE_READ) ? (const void *)address : NULL;
}

void *program_memory_out(uint32_t address, uint32_t length)
{
    return allowed(address, length, SPACE_WRITE) ? (void *)address : NULL;
}

int program_memory_text(uint32_t address, char *text, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        const char *c = program_memory_in(address + i, 1);

        if (c == NULL)
            return ERROR_BAD_ADDRESS;
        text[i] = *c;
        if (text[i] == '\0')
            return 0;
    }
    return ERROR_BAD_ARGUMENT;
}
