/* Adds a guest's observers; see session/observers.h. */
#include "session/observers.h"

#include "control/verbs.h"
#include "watch/record/boot_report.h"
#include "watch/record/record.h"
#include "watch/travel/recorder.h"

void session_observe(unsigned guest, const struct options *options, struct observers *observers,
                     struct guest_image *image, struct debug_server *server)
{
    *image = (struct guest_image){.symbols_path = options->symbols};
    observers_add(observers, &guest_image_observer, image);
    observers_add(observers, &recorder_tape_observer, NULL);
    if (recorder_is_wanted())
        observers_add(observers, &recorder_exits_observer, NULL);
    if (options->verbose)
        observers_add(observers, &record_verbose_observer, NULL);
    if (record_is_wanted())
        observers_add(observers, &record_observer, NULL);
    if (options->gdb != NULL)
        observers_add(observers, &gdb_observer, &server->debug);
    if (options->boot_report)
        observers_add(observers, &boot_report_observer, NULL);
    if (options->control != NULL)
        observers_add(observers, &control_log_observer, control_log_of(guest));
}
