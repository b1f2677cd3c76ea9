/* The guests' clocks and the event loop; see alarm.h. */
#include "vm/alarm.h"

#include <string.h>

#include "host/clock.h"
#include "host/events.h"
#include "vm/pause.h"

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

/* The alarm is an event of ACPI as well. */
void alarm_tick(struct machine *machine)
{
    if (rtc_tick(&machine->rtc))
        acpi_pm_happen(&machine->acpi_pm, ACPI_PM_ALARM);
    watchdog_look(&machine->watchdog);
}

static void on_time(void *context)
{
    (void)context;
    for (unsigned i = 0; i < alarms.count; i++)
        if (goes(&alarms.vms[i]))
            alarm_tick(&alarms.vms[i].machine);
}

/* The host's clock may be set meanwhile: no wait is longer than the second in which each of their
 * times lies. */
void alarm_arrange(struct vm *vms, unsigned count)
{
    uint64_t first = RTC_NEVER, wait = WATCHDOG_NEVER, now;

    alarms.vms = vms;
    alarms.count = count;
    alarms.timer.expired = on_time;
    for (unsigned i = 0; i < count; i++) {
        uint64_t due = goes(&vms[i]) ? rtc_due(&vms[i].machine.rtc) : RTC_NEVER;
        uint64_t fed = goes(&vms[i]) ? watchdog_due(&vms[i].machine.watchdog) : WATCHDOG_NEVER;

        first = due < first ? due : first;
        wait = fed < wait ? fed : wait;
    }
    if (first != RTC_NEVER) {
        now = clock_wall();
        if (first < now)
            first = now;
        if (first - now < wait)
            wait = first - now < SECOND ? first - now : SECOND;
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
