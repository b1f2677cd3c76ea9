/* A vCPU's model-specific registers out of KVM and in again; see msrs.h. */
#include "host/kvm/msrs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { VERSION = 1, MSRS_MAX = 1024, MSR_TSC = 0x10 };

struct range {
    uint32_t first, last;
};

/*
 * What a guest can have changed and KVM's list (KVM_GET_MSR_INDEX_LIST) does not have, or not in
 * all versions: memory types and the banks of the machine check never, IA32_TSX_CTRL from 6.4 on,
 * IA32_XSS from 6.17 on. Intel SDM volume 4, 2.1.
 */
static const struct range unlisted[] = {
    {0x122, 0x122},              /* IA32_TSX_CTRL */
    {0x1d9, 0x1d9},              /* IA32_DEBUGCTL */
    {0x200, 0x20f},              /* IA32_MTRR_PHYSBASE0 to PHYSMASK7 */
    {0x250, 0x250},              /* IA32_MTRR_FIX64K_00000 */
    {0x258, 0x259},              /* IA32_MTRR_FIX16K_80000, _A0000 */
    {0x268, 0x26f},              /* IA32_MTRR_FIX4K_C0000 to _F8000 */
    {0x2ff, 0x2ff},              /* IA32_MTRR_DEF_TYPE */
    {0x400, 0x400 + 4 * 32 - 1}, /* IA32_MC0_CTL to MC31_MISC */
    {0xda0, 0xda0},              /* IA32_XSS */
};

struct one_msr {
    struct kvm_msrs head;
    struct kvm_msr_entry entry;
};

static bool get_msr(const struct kvm_cpu *cpu, uint32_t index, uint64_t *value)
{
    struct one_msr one = {.head.nmsrs = 1, .entry.index = index};

    if (ioctl(cpu->fd, KVM_GET_MSRS, &one) != 1)
        return false;
    *value = one.entry.data;
    return true;
}

static bool is_listed(const struct kvm_msr_list *list, uint32_t index)
{
    for (uint32_t i = 0; i < list->nmsrs; i++)
        if (list->indices[i] == index)
            return true;
    return false;
}

static struct kvm_msr_list *read_list(const struct kvm *kvm, struct error *error)
{
    struct kvm_msr_list *list = calloc(1, sizeof *list + MSRS_MAX * sizeof list->indices[0]);

    if (list == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    list->nmsrs = MSRS_MAX;
    if (ioctl(kvm->fd, KVM_GET_MSR_INDEX_LIST, list) < 0) {
        error_set(error, "cannot get its model-specific registers from KVM: %s", strerror(errno));
        free(list);
        return NULL;
    }
    for (size_t i = 0; i < sizeof unlisted / sizeof unlisted[0]; i++)
        for (uint32_t index = unlisted[i].first; index <= unlisted[i].last; index++)
            if (list->nmsrs < MSRS_MAX && !is_listed(list, index))
                list->indices[list->nmsrs++] = index;
    return list;
}

/* A register that KVM does not tell, this vCPU does not have. */
int kvm_read_msrs(const struct kvm *kvm, const struct kvm_cpu *cpu, bool without_tsc,
                  struct kvm_msrs_saved *msrs, struct error *error)
{
    struct kvm_msr_list *list = read_list(kvm, error);

    *msrs = (struct kvm_msrs_saved){0};
    if (list == NULL)
        return -1;
    msrs->entries = calloc(list->nmsrs + 1, sizeof msrs->entries[0]);
    for (uint32_t i = 0; msrs->entries != NULL && i < list->nmsrs; i++) {
        struct kvm_msr_entry entry = {.index = list->indices[i]};
        uint64_t value;

        if ((without_tsc && entry.index == MSR_TSC) || !get_msr(cpu, entry.index, &value))
            continue;
        entry.data = value;
        msrs->entries[msrs->count++] = entry;
    }
    free(list);
    return msrs->entries != NULL ? 0 : error_set(error, "out of memory");
}

void kvm_release_msrs(struct kvm_msrs_saved *msrs)
{
    free(msrs->entries);
    *msrs = (struct kvm_msrs_saved){0};
}

/* A register that has its value is not written: some take none, some act when they are written. */
int kvm_load_msrs(const struct kvm_cpu *cpu, const struct chunk *chunk, struct error *error)
{
    size_t count = chunk->size / sizeof(struct kvm_msr_entry);
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[MSRS_MAX];
    } now = {.head.nmsrs = (uint32_t)count};
    bool told; /* all of them, in one call */

    if (chunk->version != VERSION || count > MSRS_MAX ||
        count * sizeof(struct kvm_msr_entry) != chunk->size)
        return error_set(error, "the saved state of %s is damaged", chunk->name);
    memcpy(now.entries, chunk->bytes, chunk->size);
    told = ioctl(cpu->fd, KVM_GET_MSRS, &now) == (int)count;
    for (size_t i = 0; i < count; i++) {
        struct one_msr one = {.head.nmsrs = 1};
        uint64_t value = told ? now.entries[i].data : 0;

        memcpy(&one.entry, chunk->bytes + i * sizeof one.entry, sizeof one.entry);
        if ((told || get_msr(cpu, one.entry.index, &value)) && value == one.entry.data)
            continue;
        if (ioctl(cpu->fd, KVM_SET_MSRS, &one) != 1)
            return error_set(error, "KVM refuses %#llx for model-specific register %#x",
                             (unsigned long long)one.entry.data, one.entry.index);
    }
    return 0;
}
