/* Kernel modules; see modules.h and finit_module(2). */
#include "initramfs/init/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load(const char *name)
{
    char path[256];
    int file;

    snprintf(path, sizeof path, "/modules/%s", name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST))
        fprintf(stderr, "init: module %s: %s\n", name, strerror(errno));
    if (file >= 0)
        close(file);
}

void modules_load(void)
{
    FILE *order = fopen("/modules/order", "re");
    char name[200];

    if (order == NULL)
        return;
    while (fgets(name, sizeof name, order) != NULL) {
        name[strcspn(name, "\n")] = '\0';
        if (name[0] != '\0')
            load(name);
    }
    fclose(order);
}
