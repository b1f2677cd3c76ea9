/* The boot phases of a Linux guest; see boot_phases.h. */
#include "watch/record/boot_phases.h"

#include <stdarg.h>
#include <stdio.h>

/* Thresholds above which advice is printed. */
enum { MANY_BYTES = 2000, MANY_EXITS = 1000, MANY_RTC = 1000, SLOW_UNPACKING_MS = 5 };

const char *boot_phases_name(enum boot_phase phase)
{
    static const char *const names[BOOT_PHASES] = {
        [BOOT_PROCESS] = "process",         [BOOT_FILES] = "files read",
        [BOOT_VM] = "VM created",           [BOOT_LOADED] = "kernel loaded",
        [BOOT_ENTERED] = "guest entered",   [BOOT_CONSOLE] = "first console byte",
        [BOOT_INIT] = "first line of init", [BOOT_END] = "end",
    };

    return names[phase];
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\r' || byte == '\n';
}

/* True if this is the first output of init. */
static bool take_byte(struct boot_phases *p, uint8_t byte)
{
    if (!p->in_line && !is_blank(byte)) {
        p->in_line = true;
        p->kernel_line = byte == '[';
        if (!p->kernel_line)
            return true;
    }
    if (byte == '\n')
        p->in_line = false;
    p->kernel_bytes++;
    return false;
}

enum boot_phase boot_phases_output(struct boot_phases *p, const uint8_t *bytes, size_t count)
{
    if (count == 0 || p->moments[BOOT_INIT].ns != 0)
        return BOOT_PHASES;
    for (size_t i = 0; i < count; i++)
        if (take_byte(p, bytes[i]))
            return BOOT_INIT;
    return p->moments[BOOT_CONSOLE].ns == 0 ? BOOT_CONSOLE : BOOT_PHASES;
}

__attribute__((format(printf, 2, 3))) static void say(struct boot_advice *a, const char *format,
                                                      ...)
{
    va_list args;

    if (a->count == BOOT_ADVICE_MAX)
        return;
    va_start(args, format);
    vsnprintf(a->lines[a->count++], sizeof a->lines[0], format, args);
    va_end(args);
}

static double ms_between(const struct boot_phases *p, enum boot_phase from, enum boot_phase to)
{
    return ((double)p->moments[to].ns - (double)p->moments[from].ns) / 1e6;
}

static void advise_loading(const struct boot_phases *p, const struct boot_facts *f,
                           struct boot_advice *a)
{
    double ms = ms_between(p, BOOT_VM, BOOT_LOADED);

    if (f->unpacked_itself)
        say(a, "the kernel unpacked itself inside the guest: leave --kernel-entry out");
    if (!f->unpacked || ms < SLOW_UNPACKING_MS)
        return;
    if (f->cache == NULL)
        say(a,
            "unpacking the kernel took most of %.0f ms each time: no cache, since neither "
            "XDG_CACHE_HOME nor HOME is set",
            ms);
    else if (f->not_kept)
        say(a, "unpacking the kernel took most of %.0f ms each time: %s cannot be written", ms,
            f->cache);
    else
        say(a, "unpacking the kernel took most of %.0f ms; the next start finds it in %s", ms,
            f->cache);
}

static void advise_guest(const struct boot_phases *p, const struct boot_facts *f,
                         struct boot_advice *a)
{
    uint64_t exits = p->moments[BOOT_INIT].exits;

    if (p->moments[BOOT_INIT].ns == 0) {
        say(a,
            "init printed nothing on the serial port: is console=ttyS0 the last console=, and is "
            "there an --initrd or a root=?");
        return;
    }
    if (p->kernel_bytes > MANY_BYTES)
        say(a, "the kernel printed %lu bytes, one or two exits each: --append quiet avoids them",
            p->kernel_bytes);
    if (f->rtc > MANY_RTC)
        say(a, "%lu accesses to the clock chip: something polls it", f->rtc);
    if (exits > MANY_EXITS && f->unclaimed > exits / 4)
        say(a, "%lu accesses to devices that do not exist: a driver looks for them", f->unclaimed);
    if (f->cpus > f->host_cpus)
        say(a, "%u vCPUs share %u CPUs of the host: they wait for each other", f->cpus,
            f->host_cpus);
}

void boot_codes_add(struct boot_codes *codes, uint8_t code, uint64_t ns, uint64_t exits)
{
    if (codes->count > 0 && codes->at[codes->count - 1].code == code)
        return;
    if (codes->count == BOOT_CODES_MAX) {
        codes->dropped++;
        return;
    }
    codes->at[codes->count].code = code;
    codes->at[codes->count++].moment = (struct boot_moment){.ns = ns, .exits = exits};
}

void boot_phases_advise(const struct boot_phases *phases, const struct boot_facts *facts,
                        struct boot_advice *advice)
{
    *advice = (struct boot_advice){0};
    advise_loading(phases, facts, advice);
    advise_guest(phases, facts, advice);
    if (advice->count == 0)
        say(advice, "the VMM costs little here: the rest is the guest's work");
}
