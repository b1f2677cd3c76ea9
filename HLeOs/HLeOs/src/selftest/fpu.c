/* See fpu.h. The registers are filled by hand: the compiler would spill them around the call. */
#include "selftest/fpu.h"

#include <stdint.h>

static void fill(double a, double b, long double c, uint32_t mxcsr)
{
    __asm__ volatile("movsd %0, %%xmm6; movsd %1, %%xmm15; fldt %2; ldmxcsr %3"
                     :
                     : "m"(a), "m"(b), "m"(c), "m"(mxcsr)
                     : "xmm6", "xmm15");
}

static void take(double *a, double *b, long double *c, uint32_t *mxcsr)
{
    __asm__ volatile("movsd %%xmm6, %0; movsd %%xmm15, %1; fstpt %2; stmxcsr %3"
                     : "=m"(*a), "=m"(*b), "=m"(*c), "=m"(*mxcsr));
}

int fpu_keeps_values(int seed, int rounds, void (*between)(void))
{
    for (int i = 1; i <= rounds; i++) {
        double a = (double)seed * i, b = (double)seed / i;
        long double c = (long double)seed * i / 3;
        uint32_t mxcsr = 0x1f80 | ((uint32_t)i & 3) << 13; /* rounding mode */
        double a2, b2;
        long double c2;
        uint32_t mxcsr2;

        fill(a, b, c, mxcsr);
        between();
        take(&a2, &b2, &c2, &mxcsr2);
        if (a != a2 || b != b2 || c != c2 || mxcsr != (mxcsr2 & ~0x3fu))
            return i;
    }
    return 0;
}
