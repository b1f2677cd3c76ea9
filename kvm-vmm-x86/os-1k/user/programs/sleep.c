/* sleep MS: does nothing for so many milliseconds. */
#include "user/lib/call.h"
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    return call_sleep((uint32_t)text_argument(argc, argv, 1, 0, INT32_MAX, 1000));
}
