/* Arbitrary bytes as a saved guest's records and head: the reader must read only these bytes, and
 * return an error or a guest. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vm/saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t record[SAVED_SECTORS * SAVED_SECTOR] __attribute__((aligned(8)));
    static struct vm_config config;
    struct saved_record header;

    memset(record, 0, sizeof record);
    memcpy(record, data, size < sizeof record ? size : sizeof record);
    (void)!saved_check(record, 0, 1);
    /* The same with a valid header, to reach the code behind its check. */
    memcpy(&header, record, sizeof header);
    saved_seal(record, SAVED_HEAD, header.save, 0, header.at, header.size % (SAVED_CHUNK + 1));
    if (saved_check(record, header.save, 0) != NULL)
        abort();
    if (saved_read_head((const void *)(record + SAVED_SECTOR), &config) == NULL &&
        (config.kernel[0] == '\0' || config.cpus < 1 || config.cpus > VM_VCPUS_MAX))
        abort();
    return 0;
}
