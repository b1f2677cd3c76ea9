/* cat FILE...: prints files. */
#include "user/lib/call.h"
#include "user/lib/text.h"

static int print_file(const char *name)
{
    static char buffer[1024];
    uint32_t offset = 0;
    int n;

    while ((n = call_readfile(name, buffer, sizeof buffer, offset)) > 0) {
        call_write(buffer, (uint32_t)n);
        offset += (uint32_t)n;
    }
    if (n < 0)
        text_print("cat: %s: %s\n", name, text_error(n));
    return n;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2)
        text_print("usage: cat FILE...\n");
    for (int i = 1; i < argc; i++)
        if (print_file(argv[i]) < 0)
            status = 1;
    return argc < 2 ? 2 : status;
}
