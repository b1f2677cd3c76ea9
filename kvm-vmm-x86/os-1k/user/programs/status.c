/* status N: ends with that status, for the shell to report. */
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    return text_argument(argc, argv, 1, 0, 255, 0);
}
