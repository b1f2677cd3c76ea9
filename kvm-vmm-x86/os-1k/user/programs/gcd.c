/* gcd [A B]: the greatest common divisor of two numbers, asked for if not given. */
#include "user/lib/line.h"
#include "user/lib/text.h"

static int ask(const char *prompt, int *value)
{
    char line[LINE_SIZE];

    while (line_read(prompt, line, NULL) == EDIT_DONE) {
        if (text_to_int(line, value))
            return 0;
        text_print("That is not a number.\n");
    }
    return -1;
}

/* Unsigned, so that the smallest int has a magnitude too. */
static unsigned magnitude(int n)
{
    return n < 0 ? -(unsigned)n : (unsigned)n;
}

int main(int argc, char **argv)
{
    int a = text_argument(argc, argv, 1, INT32_MIN, INT32_MAX, 0);
    int b = text_argument(argc, argv, 2, INT32_MIN, INT32_MAX, 0);
    unsigned x, y;

    if (argc < 3 && (ask("first number: ", &a) < 0 || ask("second number: ", &b) < 0))
        return 1;
    x = magnitude(a);
    y = magnitude(b);
    while (y != 0) {
        unsigned rest = x % y;

        x = y;
        y = rest;
    }
    text_print("gcd(%d, %d) = %u\n", a, b, x);
    return 0;
}
