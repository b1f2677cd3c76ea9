/* Embeds the page's files. Their order is the page's: they are one document, cut where the data
 * goes. The assembler finds them because its search path begins at the repository's root. */
#include "watch/record/page/page.h"

#define FILE(name) ".incbin \"kvm-vmm-x86/src/watch/record/page/" name "\"\n"

__asm__(".section .rodata\n"
        ".globl log_page_head, log_page_head_end, log_page_tail, log_page_tail_end\n"
        "log_page_head:\n" FILE("head.html") FILE("page.css")
            FILE("body.html") "log_page_head_end:\n"
                              "log_page_tail:\n" FILE("middle.html") FILE("data.js")
                                  FILE("chart.js") FILE("timeline.js") FILE("output.js")
                                      FILE("main.js") FILE("tail.html") "log_page_tail_end:\n"
                                                                        ".previous\n");
