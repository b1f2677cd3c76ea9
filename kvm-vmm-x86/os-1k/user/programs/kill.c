/* kill PID...: ends processes. */
#include "user/lib/call.h"
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    int status = argc < 2 ? 2 : 0;

    if (argc < 2)
        text_print("usage: kill PID...\n");
    for (int i = 1; i < argc; i++) {
        int error = call_kill(text_argument(argc, argv, i, 1, INT32_MAX, 0));

        if (error < 0) {
            text_print("kill: %s: %s\n", argv[i], text_error(error));
            status = 1;
        }
    }
    return status;
}
