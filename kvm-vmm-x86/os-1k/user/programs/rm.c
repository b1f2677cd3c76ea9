/* rm FILE...: removes files. */
#include "user/lib/call.h"
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    int status = argc < 2 ? 2 : 0;

    if (argc < 2)
        text_print("usage: rm FILE...\n");
    for (int i = 1; i < argc; i++) {
        int error = call_remove(argv[i]);

        if (error < 0) {
            text_print("rm: %s: %s\n", argv[i], text_error(error));
            status = 1;
        }
    }
    return status;
}
