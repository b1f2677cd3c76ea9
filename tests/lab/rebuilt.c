/* States of one program, for test_lab.py: it says which it is, and waits for the end of its input.
 */
#include <stdio.h>
#include <unistd.h>

/* As large as real ones: several pages of code and data, which lie elsewhere in the other state. */
#define STRING(x) #x
#define FILL(n)   __asm__(".pushsection .text; .fill " STRING(n) ", 1, 0x90; .popsection")
FILL(SIZE);
static const volatile char data[SIZE] = {1};

int main(void)
{
    char byte;

    printf("%s\n", WORD);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    printf("%s ends, %d\n", WORD, data[0] + data[SIZE - 1]);
    return 0;
}
