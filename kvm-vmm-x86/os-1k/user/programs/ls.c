/* ls: the files, their sizes, and where they are kept. */
#include "user/lib/call.h"
#include "user/lib/text.h"

int main(void)
{
    struct file_info info;
    struct system_info system;

    for (unsigned i = 0; call_fileinfo(i, &info) >= 0; i++)
        if (info.name[0] != '\0')
            text_print("%7u %s\n", info.size, info.name);
    call_systeminfo(&system);
    text_print("kept in: %s\n", text_store(system.features));
    return 0;
}
