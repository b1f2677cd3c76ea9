/* Splits the command line into the words that main expects. */
#include "user/lib/call.h"

enum { WORDS_MAX = 32 };

int main(int argc, char **argv);
void __attribute__((noreturn)) start_main(void);

void start_main(void)
{
    char *words[WORDS_MAX + 1];
    int count = 0;

    for (char *at = (char *)PROGRAM_COMMAND_LINE; *at != '\0' && count < WORDS_MAX;) {
        if (*at == ' ') {
            *at++ = '\0';
            continue;
        }
        words[count++] = at;
        while (*at != '\0' && *at != ' ')
            at++;
    }
    words[count] = 0;
    call_exit(main(count, words));
}
