/*
 * facts: prints what the kernel knows about its machine, one NAME=VALUE in each line, for scripts
 * that run the guest.
 *
 *   cpus=4                 online
 *   ran=0,1,2,3            the CPUs on which a thread bound to them has run
 *   memory=...             kilobytes of RAM in the kernel's control
 *   clocksource=kvm-clock  the clock source in use
 *   time=...               seconds since 1970
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { CPUS_MAX = 256 };

/* Moves to CPU *argument; sets it to -1 if the thread does not run there. */
static void *visit(void *argument)
{
    int *cpu = argument;
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(*cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0 || sched_getcpu() != *cpu)
        *cpu = -1;
    return NULL;
}

static bool ran_on(int cpu)
{
    pthread_t thread;
    int seen = cpu;

    return pthread_create(&thread, NULL, visit, &seen) == 0 && pthread_join(thread, NULL) == 0 &&
           seen == cpu;
}

static void print_cpus(void)
{
    const char *comma = "";

    printf("cpus=%ld\nran=", sysconf(_SC_NPROCESSORS_ONLN));
    for (int cpu = 0; cpu < CPUS_MAX; cpu++)
        if (ran_on(cpu)) {
            printf("%s%d", comma, cpu);
            comma = ",";
        }
    printf("\n");
}

/* Prints a line of /proc/meminfo: "MemTotal:    90000 kB". */
static void print_memory(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    unsigned long kilobytes;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemTotal: %lu kB", &kilobytes) == 1)
            printf("memory=%lu\n", kilobytes);
    if (file != NULL)
        fclose(file);
}

static void print_file(const char *name, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[256] = "";

    if (file == NULL)
        return;
    if (fgets(line, sizeof line, file) != NULL)
        printf("%s=%.*s\n", name, (int)strcspn(line, "\n"), line);
    fclose(file);
}

int main(void)
{
    struct utsname name;

    uname(&name);
    printf("kernel=%s\nmachine=%s\n", name.release, name.machine);
    print_cpus();
    print_memory();
    print_file("clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    print_file("command", "/proc/cmdline");
    printf("time=%lld\n", (long long)time(NULL));
    return 0;
}
