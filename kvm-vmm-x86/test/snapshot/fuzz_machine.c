/* Fuzzer of snapshot/machine.c: an accepted description is within its limits, and can be written
 * and accepted again. */
#include <stdlib.h>
#include <string.h>

#include "snapshot/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct snapshot_machine first, second;
    static char out_bytes[SNAPSHOT_JSON_MAX];
    struct json_out out = json_out(out_bytes, sizeof out_bytes);
    char *text = malloc(size + 1);
    struct error error;

    memcpy(text, data, size);
    if (snapshot_machine_read(&first, text, size, &error) == 0) {
        if (first.config.cpus == 0 || first.config.cpus > CPUS_MAX ||
            first.config.disk_count > DISKS_MAX ||
            first.config.memory + first.rom != first.ram.size ||
            (first.below.folder != NULL && first.ram_map.size != snapshot_map_size(first.ram.size)))
            abort();
        snapshot_machine_write(&first, &out);
        if (!out.full && snapshot_machine_read(&second, out_bytes, out.used, &error) < 0)
            abort();
    }
    free(text);
    return 0;
}
