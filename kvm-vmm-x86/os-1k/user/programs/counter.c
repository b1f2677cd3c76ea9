/* counter [N [MS [NAME]]]: counts from 0 up to N, one number a line, waiting MS milliseconds
 * between. */
#include "user/lib/call.h"
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    int last = text_argument(argc, argv, 1, 0, 1000000, 9);
    int pause = text_argument(argc, argv, 2, 0, 60000, 0);

    for (int i = 0; i <= last; i++) {
        if (argc > 3)
            text_print("%s %d\n", argv[3], i);
        else
            text_print("%d\n", i);
        if (pause > 0 && i < last)
            call_sleep((uint32_t)pause);
    }
    return 0;
}
