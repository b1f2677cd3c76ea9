/* table [N]: the multiplication table of N, or all from 1 to 9 side by side. */
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    int n = text_argument(argc, argv, 1, 1, 10000, 0);

    for (int row = 1; row <= 9; row++) {
        if (n != 0)
            text_print("%d x %d = %d\n", n, row, n * row);
        for (int column = 1; n == 0 && column <= 9; column++)
            text_print("%4d%s", row * column, column == 9 ? "\n" : "");
    }
    return 0;
}
