/* Starts /kernel with /ramdisk and the command line in /line: at once, or with -p at this kernel's
 * panic. kexec_file_load(2), reboot(2). For tests/linux/test_kernels.py. */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 }; /* the most that x86 takes */

int main(int count, char **words)
{
    int kernel = open("/kernel", O_RDONLY), ramdisk = open("/ramdisk", O_RDONLY),
        line = open("/line", O_RDONLY);
    int panic = count > 1 && strcmp(words[1], "-p") == 0;
    char text[LINE_SIZE] = "";
    ssize_t size = read(line, text, sizeof text - 1);

    if (kernel < 0 || ramdisk < 0 || size < 0) {
        perror("kexec: /kernel, /ramdisk, /line");
        return 1;
    }
    if (syscall(SYS_kexec_file_load, kernel, ramdisk, (unsigned long)size + 1, text,
                panic ? KEXEC_FILE_ON_CRASH : 0L) < 0) {
        perror("kexec: kexec_file_load");
        return 1;
    }
    if (!panic && syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
                          LINUX_REBOOT_CMD_KEXEC, NULL) < 0) {
        perror("kexec: reboot");
        return 1;
    }
    return 0;
}
