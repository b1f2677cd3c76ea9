/* fibonacci [N]: the first N numbers of the series, at most 94, for 64 bits. */
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    int count = text_argument(argc, argv, 1, 1, 94, 20);
    uint64_t a = 0, b = 1;

    for (int i = 0; i < count; i++) {
        uint64_t next = a + b;

        text_print("F(%d) = %llu\n", i, a);
        a = b;
        b = next;
    }
    return 0;
}
