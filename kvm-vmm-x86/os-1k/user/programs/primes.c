/* primes [N]: the prime numbers up to N. */
#include "user/lib/text.h"

static bool is_prime(int n)
{
    for (int d = 2; d <= n / d; d++)
        if (n % d == 0)
            return false;
    return n >= 2;
}

int main(int argc, char **argv)
{
    int limit = text_argument(argc, argv, 1, 0, 1000000, 100);
    int count = 0;

    for (int n = 2; n <= limit; n++)
        if (is_prime(n))
            text_print("%s%d", count++ == 0 ? "" : " ", n);
    text_print("%s%d primes up to %d\n", count == 0 ? "" : "\n", count, limit);
    return 0;
}
