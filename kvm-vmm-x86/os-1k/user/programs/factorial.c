/* factorial [N]: the factorials from 0 up to N, at most 12, for 32 bits. */
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    int last = text_argument(argc, argv, 1, 0, 12, 12);
    int product = 1;

    for (int i = 0; i <= last; i++) {
        product *= i > 0 ? i : 1;
        text_print("%d! = %d\n", i, product);
    }
    return 0;
}
