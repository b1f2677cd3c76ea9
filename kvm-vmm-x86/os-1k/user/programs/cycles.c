/* cycles [N]: starts a program and waits for its end, N times over, and compares the kernel's free
 * memory before and after. */
#include "user/lib/call.h"
#include "user/lib/text.h"

static uint32_t free_pages(void)
{
    struct system_info info;

    call_systeminfo(&info);
    return info.pages_free;
}

int main(int argc, char **argv)
{
    int count = text_argument(argc, argv, 1, 1, INT32_MAX, 1000);
    uint32_t before = free_pages(), after;

    for (int i = 0; i < count; i++) {
        int status = 0, pid = call_spawn("bin/true", SPAWN_FRONT);

        if (pid < 0 || call_wait(pid, WAIT_BLOCK, &status) != pid || status != 0) {
            text_print("cycle %d failed: %s\n", i, pid < 0 ? text_error(pid) : "wrong child");
            return 1;
        }
    }
    after = free_pages();
    text_print("%d cycles, free pages before %u, after %u\n", count, before, after);
    return before != after;
}
