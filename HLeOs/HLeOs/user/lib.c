/* See lib.h. */
#include "lib.h"

int fork(void)
{
    return (int)system_call(HLEOS_FORK, 0, 0, 0);
}

void exit(int status)
{
    for (;;)
        system_call(HLEOS_EXIT, status, 0, 0);
}

int wait(int *status)
{
    return (int)system_call(HLEOS_WAIT, (long)status, 0, 0);
}

int kill(int process)
{
    return (int)system_call(HLEOS_KILL, process, 0, 0);
}

int exec(const char *path, const char *const *argv)
{
    return (int)system_call(HLEOS_EXEC, (long)path, (long)argv, 0);
}

int getpid(void)
{
    return (int)system_call(HLEOS_GETPID, 0, 0, 0);
}

void *sbrk(long bytes)
{
    return (void *)system_call(HLEOS_SBRK, bytes, 0, 0);
}

int sleep(unsigned long milliseconds)
{
    return (int)system_call(HLEOS_SLEEP, (long)milliseconds, 0, 0);
}

unsigned long uptime(void)
{
    return (unsigned long)system_call(HLEOS_UPTIME, 0, 0, 0);
}

int open(const char *path, int how)
{
    return (int)system_call(HLEOS_OPEN, (long)path, how, 0);
}

int close(int file)
{
    return (int)system_call(HLEOS_CLOSE, file, 0, 0);
}

long read(int file, void *bytes, size_t count)
{
    return system_call(HLEOS_READ, file, (long)bytes, (long)count);
}

long write(int file, const void *bytes, size_t count)
{
    return system_call(HLEOS_WRITE, file, (long)bytes, (long)count);
}

int dup(int file)
{
    return (int)system_call(HLEOS_DUP, file, 0, 0);
}

int pipe(int *files)
{
    return (int)system_call(HLEOS_PIPE, (long)files, 0, 0);
}

int fstat(int file, struct hleos_stat *stat)
{
    return (int)system_call(HLEOS_FSTAT, file, (long)stat, 0);
}

long lseek(int file, long offset, int from)
{
    return system_call(HLEOS_LSEEK, file, offset, from);
}

int fsync(int file)
{
    return (int)system_call(HLEOS_FSYNC, file, 0, 0);
}

int chdir(const char *path)
{
    return (int)system_call(HLEOS_CHDIR, (long)path, 0, 0);
}

int mkdir(const char *path)
{
    return (int)system_call(HLEOS_MKDIR, (long)path, 0, 0);
}

int link(const char *old, const char *new)
{
    return (int)system_call(HLEOS_LINK, (long)old, (long)new, 0);
}

int unlink(const char *path)
{
    return (int)system_call(HLEOS_UNLINK, (long)path, 0, 0);
}

int mknod(const char *path, int device)
{
    return (int)system_call(HLEOS_MKNOD, (long)path, device, 0);
}

/* As in xv6, built from open(), fstat() and close(). */
int stat(const char *path, struct hleos_stat *stat)
{
    int file = open(path, HLEOS_OPEN_READ), result = file;

    if (file >= 0) {
        result = fstat(file, stat);
        close(file);
    }
    return result;
}

void *mmap(size_t size, int file, long offset)
{
    return (void *)system_call(HLEOS_MMAP, (long)size, file, offset);
}

int munmap(void *address, size_t size)
{
    return (int)system_call(HLEOS_MUNMAP, (long)address, (long)size, 0);
}

int system_info(struct hleos_system *system)
{
    return (int)system_call(HLEOS_SYSTEM, (long)system, 0, 0);
}

/* Collects text, so that a line is one system call. */
struct output {
    struct fmt_sink sink; /* first */
    int file;
    size_t used;
    char text[128];
};

static void flush(struct output *out)
{
    if (out->used > 0)
        write(out->file, out->text, out->used);
    out->used = 0;
}

static void collect(struct fmt_sink *sink, const char *text, size_t length)
{
    struct output *out = (struct output *)sink;

    for (size_t i = 0; i < length; i++) {
        if (out->used == sizeof out->text)
            flush(out);
        out->text[out->used++] = text[i];
    }
}

static void print_to(int file, const char *format, va_list args)
{
    struct output out = {.sink = {collect}, .file = file};

    fmt_vprint(&out.sink, format, args);
    flush(&out);
}

void printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_to(1, format, args);
    va_end(args);
}

void fprintf(int file, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_to(file, format, args);
    va_end(args);
}

long read_line(int file, char *line, size_t room)
{
    size_t length = 0;
    long got;
    char c;

    while ((got = read(file, &c, 1)) == 1 && c != '\n')
        if (length++ < room - 1)
            line[length - 1] = c;
    line[length < room ? length : room - 1] = '\0';
    if (got < 0)
        return LINE_ERROR;
    return got == 0 && length == 0 ? LINE_END : (long)length;
}

int atoi(const char *text)
{
    bool negative = *text == '-';
    unsigned value = 0;

    for (text += negative; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (unsigned)(*text - '0');
    return negative ? -(int)value : (int)value;
}
