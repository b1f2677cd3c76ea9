/* ls: the files, their sizes, and where they are kept. */
#include "user/lib/call.h"
#include "user/lib/text.h"

int main(void)
{
    struct system_info system;
    struct file_info info;

    for (unsigned i = 0; call_fileinfo(i, &info) == 0; i++)
        text_print("%7u %s\n", info.size, info.name);
    call_systeminfo(&system);
    text_print("kept in: %s\n", system.store);
    return 0;
}
