/*
 * The disassembler's library, loaded by zydis_load or at the first disassembly. The functions have
 * the library's own names (Zydis/Zydis.h), so callers need not know about this; unit tests link the
 * library itself. Functions that Zydis 3 (Ubuntu 22.04) declares differently are in one place.
 */
#include <Zydis/Zydis.h>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fmt.h"
#include "host/zydis.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *library; /* NULL: it is not installed */

/* Releases the pages that only loading has touched; after a crash of the guest they are read from
 * the file again. Segments with relocations are written to and stay. The first segment goes last,
 * because it has the program headers. */
static int let_go(struct dl_phdr_info *module, size_t size, void *name)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), starts[4], ends[4];
    unsigned count = 0;

    (void)size;
    if (strstr(module->dlpi_name, name) == NULL)
        return 0;
    for (unsigned i = 0; i < module->dlpi_phnum && count < 4; i++) {
        const ElfW(Phdr) *p = &module->dlpi_phdr[i];

        if (p->p_type == PT_LOAD && !(p->p_flags & PF_W)) {
            starts[count] = (module->dlpi_addr + p->p_vaddr) & ~(page - 1);
            ends[count++] = module->dlpi_addr + p->p_vaddr + p->p_memsz;
        }
    }
    while (count-- > 0)
        (void)madvise((void *)starts[count], ends[count] - starts[count], MADV_DONTNEED);
    return 1;
}

static void open_library(void)
{
    char name[32];

    fmt_snprint(name, sizeof name, "libZydis.so.%u.%u",
                (unsigned)ZYDIS_VERSION_MAJOR(ZYDIS_VERSION),
                (unsigned)ZYDIS_VERSION_MINOR(ZYDIS_VERSION));
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library != NULL)
        (void)dl_iterate_phdr(let_go, name);
}

void zydis_load(void)
{
    pthread_once(&once, open_library);
}

/* The library's function `name`, or NULL. Any thread may call this first. */
static void *find(const char *name)
{
    zydis_load();
    return library != NULL ? dlsym(library, name) : NULL;
}

#define FIND(function) ((typeof(&function))find(#function))

#ifdef ZYDIS_DISASSEMBLER_H /* Zydis 4 */

ZyanStatus ZydisDecoderInit(ZydisDecoder *decoder, ZydisMachineMode mode, ZydisStackWidth width)
{
    typeof(&ZydisDecoderInit) f = FIND(ZydisDecoderInit);

    return f != NULL ? f(decoder, mode, width) : ZYAN_STATUS_FAILED;
}

ZyanStatus ZydisDecoderDecodeFull(const ZydisDecoder *decoder, const void *buffer, ZyanUSize length,
                                  ZydisDecodedInstruction *instruction,
                                  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT])
{
    typeof(&ZydisDecoderDecodeFull) f = FIND(ZydisDecoderDecodeFull);

    return f != NULL ? f(decoder, buffer, length, instruction, operands) : ZYAN_STATUS_FAILED;
}

ZyanStatus ZydisFormatterFormatInstruction(const ZydisFormatter *formatter,
                                           const ZydisDecodedInstruction *instruction,
                                           const ZydisDecodedOperand *operands,
                                           ZyanU8 operand_count, char *buffer, ZyanUSize length,
                                           ZyanU64 runtime_address, void *user_data)
{
    typeof(&ZydisFormatterFormatInstruction) f = FIND(ZydisFormatterFormatInstruction);

    return f != NULL ? f(formatter, instruction, operands, operand_count, buffer, length,
                         runtime_address, user_data)
                     : ZYAN_STATUS_FAILED;
}

#else /* Zydis 3 */

ZyanStatus ZydisDecoderInit(ZydisDecoder *decoder, ZydisMachineMode mode, ZydisAddressWidth width)
{
    typeof(&ZydisDecoderInit) f = FIND(ZydisDecoderInit);

    return f != NULL ? f(decoder, mode, width) : ZYAN_STATUS_FAILED;
}

ZyanStatus ZydisDecoderDecodeBuffer(const ZydisDecoder *decoder, const void *buffer,
                                    ZyanUSize length, ZydisDecodedInstruction *instruction)
{
    typeof(&ZydisDecoderDecodeBuffer) f = FIND(ZydisDecoderDecodeBuffer);

    return f != NULL ? f(decoder, buffer, length, instruction) : ZYAN_STATUS_FAILED;
}

ZyanStatus ZydisFormatterFormatInstruction(const ZydisFormatter *formatter,
                                           const ZydisDecodedInstruction *instruction, char *buffer,
                                           ZyanUSize length, ZyanU64 runtime_address)
{
    typeof(&ZydisFormatterFormatInstruction) f = FIND(ZydisFormatterFormatInstruction);

    return f != NULL ? f(formatter, instruction, buffer, length, runtime_address)
                     : ZYAN_STATUS_FAILED;
}

#endif

ZyanStatus ZydisFormatterInit(ZydisFormatter *formatter, ZydisFormatterStyle style)
{
    typeof(&ZydisFormatterInit) f = FIND(ZydisFormatterInit);

    return f != NULL ? f(formatter, style) : ZYAN_STATUS_FAILED;
}

ZydisRegister ZydisRegisterGetLargestEnclosing(ZydisMachineMode mode, ZydisRegister reg)
{
    typeof(&ZydisRegisterGetLargestEnclosing) f = FIND(ZydisRegisterGetLargestEnclosing);

    return f != NULL ? f(mode, reg) : ZYDIS_REGISTER_NONE;
}

ZydisRegisterWidth ZydisRegisterGetWidth(ZydisMachineMode mode, ZydisRegister reg)
{
    typeof(&ZydisRegisterGetWidth) f = FIND(ZydisRegisterGetWidth);

    return f != NULL ? f(mode, reg) : 0;
}

ZydisRegisterClass ZydisRegisterGetClass(ZydisRegister reg)
{
    typeof(&ZydisRegisterGetClass) f = FIND(ZydisRegisterGetClass);

    return f != NULL ? f(reg) : ZYDIS_REGCLASS_INVALID;
}
