/* The guests' clocks and the event loop; see alarm.h. */
#include "vm/alarm.h"

#include <string.h>

#include "host/clock.h"
#include "host/events.h"
#include "vm/pause.h"
#include "vm/ticks.h"

#define SECOND UINT64_C(1000000000)

static struct {
    struct event_timer timer;
    struct vm *vms;
    unsigned count;
} alarms;

static bool goes(struct vm *vm)
{
    return vm_is_running(vm) && (!vm_is_held(vm) || vm_is_asleep(vm));
}

/* If a guest has been asked to take a tick, nothing is due until it has. */
static uint64_t clock_due(struct vm *vm)
{
    return vm->own_irqchip && ticks_are_asked(vm) ? RTC_NEVER : rtc_due(&vm->machine.rtc);
}

/* The RTC's alarm is also an ACPI event. */
void alarm_tick(struct machine *machine)
{
    if (rtc_tick(&machine->rtc))
        acpi_pm_happen(&machine->acpi_pm, ACPI_PM_ALARM);
    watchdog_look(&machine->watchdog);
}

static void on_time(void *context)
{
    (void)context;
    for (unsigned i = 0; i < alarms.count; i++) {
        struct vm *vm = &alarms.vms[i];

        if (!goes(vm))
            continue;
        if (!vm->own_irqchip) {
            alarm_tick(&vm->machine);
            continue;
        }
        watchdog_look(&vm->machine.watchdog);
        if (clock_due(vm) <= clock_wall() || ticks_due(vm) <= events_now())
            ticks_ask(vm, TICK_TIME);
    }
}

/* No wait for the RTC is longer than a second, since the host's clock may be set meanwhile. */
void alarm_arrange(struct vm *vms, unsigned count)
{
    uint64_t first = RTC_NEVER, wait = WATCHDOG_NEVER, now;
    uint64_t tick = PIT_NEVER;

    alarms.vms = vms;
    alarms.count = count;
    alarms.timer.expired = on_time;
    for (unsigned i = 0; i < count; i++) {
        uint64_t due = goes(&vms[i]) ? clock_due(&vms[i]) : RTC_NEVER;
        uint64_t fed = goes(&vms[i]) ? watchdog_due(&vms[i].machine.watchdog) : WATCHDOG_NEVER;

        uint64_t next = goes(&vms[i]) ? ticks_due(&vms[i]) : PIT_NEVER;

        first = due < first ? due : first;
        tick = next < tick ? next : tick;
        wait = fed < wait ? fed : wait;
    }
    if (first != RTC_NEVER) {
        now = clock_wall();
        if (first < now)
            first = now;
        if (first - now < wait)
            wait = first - now < SECOND ? first - now : SECOND;
    }
    if (tick != PIT_NEVER) {
        now = events_now();
        tick = tick > now ? tick - now : 0;
        wait = tick < wait ? tick : wait;
    }
    if (wait == WATCHDOG_NEVER)
        events_timer_stop(&alarms.timer);
    else
        events_timer_start(&alarms.timer, wait);
}

void alarm_leave(void)
{
    memset(&alarms, 0, sizeof alarms);
}
