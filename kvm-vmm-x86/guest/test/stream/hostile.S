/*
 * Prints output that is difficult for logs: every byte, then text that would end a script, open a
 * comment, close a string or colour a terminal, and half a character.
 */
#include "../../guest.inc"
    .code16
    xor %bx, %bx
1:  putchar %bl
    inc %bl
    jnz 1b
    mov $text, %si
    mov $end - text, %cx
2:  lodsb
    putchar %al
    loop 2b
    exit

text:
    .ascii "\n</script><script>document.title='broken'</script>\n<!-- <script>\n\"}],\\\n"
    .ascii "\033[31mred\033[0m \r\n\342\202"
end:
