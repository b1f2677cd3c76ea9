/* Arbitrary bytes for the reader of manifests: it must read only these bytes, and end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vm/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vm_config configs[VMS_MAX];
    struct config_error error = {0};
    int count = config_parse((const char *)data, size, configs, VMS_MAX, &error);

    if (count < 0 ? error.text[0] == '\0' : count > VMS_MAX)
        abort();
    for (int i = 0; i < count; i++)
        if (configs[i].cpus < 1 || configs[i].cpus > VM_VCPUS_MAX || configs[i].kernel[0] == '\0')
            abort();
    return 0;
}
