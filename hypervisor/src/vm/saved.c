/* Saved VMs on a disk; see saved.h. */
#include "vm/saved.h"

#include "common/string.h"

static const char magic[8] = {'m', 'k', 'v', 'm', 's', 'a', 'v', 'e'};

/* A checksum over whole words, which is fast: each 16 KiB are summed with interrupts off. It
 * detects damage, not attacks. */
static uint64_t add_up(uint64_t sum, const uint64_t *words, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)words;
    size_t i = 0;

    for (; i < size / sizeof *words; i++) {
        sum = (sum ^ words[i]) * 0x100000001b3;
        sum ^= sum >> 32;
    }
    for (i *= sizeof *words; i < size; i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3;
    return sum;
}

static uint64_t checksum(const void *record)
{
    struct saved_record r;

    memcpy(&r, record, sizeof r);
    r.checksum = 0;
    return add_up(add_up(1, (const uint64_t *)&r, sizeof r),
                  (const uint64_t *)record + SAVED_SECTOR / sizeof(uint64_t), r.size);
}

void saved_seal(void *record, enum saved_kind kind, uint64_t save, uint64_t number, uint64_t at,
                uint32_t size)
{
    struct saved_record r = {.save = save, .number = number, .at = at, .kind = kind, .size = size};

    memcpy(r.magic, magic, sizeof magic);
    memset(record, 0, SAVED_SECTOR);
    memcpy(record, &r, sizeof r);
    r.checksum = checksum(record);
    memcpy(record, &r, sizeof r);
}

const char *saved_check(const void *record, uint64_t save, uint64_t number)
{
    struct saved_record r;

    memcpy(&r, record, sizeof r);
    if (memcmp(r.magic, magic, sizeof magic) != 0 || (number == 0 && r.kind != SAVED_HEAD))
        return number == 0 ? "no guest was saved there" : "a record was overwritten";
    if (r.size > SAVED_CHUNK || r.checksum != checksum(record))
        return "a checksum is wrong";
    if (r.number != number || (save != 0 && r.save != save))
        return "a record belongs to another save";
    return NULL;
}

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

const char *saved_read_head(const struct saved_head *head, struct vm_config *config)
{
    static const char damaged[] = "its description is damaged";
    struct config_error error;

    if (head->version != SAVED_VERSION)
        return "another version of the hypervisor saved it";
    if (!ends(head->isa, sizeof head->isa) || !ends(head->manifest, sizeof head->manifest))
        return damaged;
    if (config_parse(head->manifest, strlen(head->manifest), config, 1, &error) != 1 ||
        head->vcpus != config->cpus || head->ram_size != config->memory)
        return damaged;
    config->interrupts = INTERRUPTS_PLIC; /* no other kind is ever saved */
    return NULL;
}
