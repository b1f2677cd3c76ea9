/* lab-client DIRECTORY LINES WAIT SCRIPT COMMAND...: runs a command in the lab's machine as if it
 * ran here. lab/lab starts it. */
#include <stdio.h>
#include <stdlib.h>

#include "lab/client/line.h"
#include "lab/client/relay.h"
#include "lab/client/request.h"
#include "lab/client/terminal.h"

int main(int argc, char **argv)
{
    static struct wire wire;
    struct message_hello hello = {0};
    struct line_options options;

    if (argc < 6) {
        fprintf(stderr, "usage: %s DIRECTORY LINES WAIT SCRIPT COMMAND...\n", argv[0]);
        return 2;
    }
    options = (struct line_options){.directory = argv[1],
                                    .lines = (unsigned)strtoul(argv[2], NULL, 10),
                                    .wait = (int)strtoul(argv[3], NULL, 10),
                                    .script = argv[4]};
    request_describe(&hello);
    terminal_describe(&hello);
    if (line_open(&options, &hello, &wire) < 0) /* the machine runs and listens */
        return 125;
    return relay_run(&wire, &hello, argv + 5, &options);
}
