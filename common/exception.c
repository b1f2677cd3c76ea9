/* The table; see exception.h. */
#include "common/exception.h"

#include <stddef.h>

struct name {
    const char *words;
    bool has_error;
};

static const struct name names[] = {
    [EXCEPTION_DE] = {"divide error", false},
    [EXCEPTION_DB] = {"debug exception", false},
    [EXCEPTION_NMI] = {"non-maskable interrupt", false},
    [EXCEPTION_BP] = {"breakpoint", false},
    [EXCEPTION_OF] = {"overflow", false},
    [EXCEPTION_BR] = {"bound range exceeded", false},
    [EXCEPTION_UD] = {"invalid opcode", false},
    [EXCEPTION_NM] = {"device not available", false},
    [EXCEPTION_DF] = {"double fault", true},
    [EXCEPTION_TS] = {"invalid TSS", true},
    [EXCEPTION_NP] = {"segment not present", true},
    [EXCEPTION_SS] = {"stack fault", true},
    [EXCEPTION_GP] = {"general protection fault", true},
    [EXCEPTION_PF] = {"page fault", true},
    [EXCEPTION_MF] = {"x87 error", false},
    [EXCEPTION_AC] = {"alignment check", true},
    [EXCEPTION_MC] = {"machine check", false},
    [EXCEPTION_XM] = {"SIMD floating-point exception", false},
    [EXCEPTION_VE] = {"virtualization exception", false},
    [EXCEPTION_CP] = {"control protection exception", true},
};

static struct name name_of(int vector)
{
    bool known = vector >= 0 && vector < (int)(sizeof names / sizeof names[0]);

    return known ? names[vector] : (struct name){.words = NULL};
}

const char *exception_words(int vector)
{
    return name_of(vector).words;
}

bool exception_has_error(int vector)
{
    return name_of(vector).has_error;
}
