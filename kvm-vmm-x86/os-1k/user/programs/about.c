/* about: what this system is, as the kernel itself reports it. */
#include "user/lib/call.h"
#include "user/lib/text.h"

static unsigned count_processes(void)
{
    struct process_info info;
    unsigned count = 0;

    for (unsigned i = 0; call_processinfo(i, &info) >= 0; i++)
        count += info.state != PROCESS_FREE;
    return count;
}

int main(void)
{
    struct system_info info;
    uint32_t uptime = call_uptime();

    call_systeminfo(&info);
    text_print("1K OS, a small operating system for 32-bit x86\n"
               "  loader      %s\n"
               "  protection  %s\n"
               "  programs    ring 3, own page tables, system calls by int 0x80\n"
               "  scheduling  preemptive round robin, 55 ms\n",
               info.loader,
               info.features & SYSTEM_NO_EXECUTE ? "PAE paging with NX: writable or executable"
                                                 : "paging, read-only code, no NX");
    text_print("  memory      %u of %u pages free\n"
               "  processes   %u\n"
               "  console     %s\n"
               "  files       %s\n"
               "  uptime      %u.%03u s\n",
               info.pages_free, info.pages_total, count_processes(),
               info.features & SYSTEM_HYPERCALL ? "hypercall" : "serial port",
               text_store(info.features), uptime / 1000, uptime % 1000);
    return 0;
}
