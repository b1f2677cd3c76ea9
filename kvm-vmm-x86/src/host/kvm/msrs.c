/* Saves and loads a vCPU's model-specific registers; see msrs.h. */
#include "host/kvm/msrs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { VERSION = 1, MSRS_MAX = 1024, CALL_MSRS = 200, MSR_TSC = 0x10 };

struct range {
    uint32_t first, last;
};

/*
 * Registers that a guest may have changed and that KVM's list (KVM_GET_MSR_INDEX_LIST) lacks, or
 * lacks in some versions: memory types and machine check banks always, IA32_TSX_CTRL from 6.4 on,
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

/* Registers with their values. */
struct many_msrs {
    size_t count;
    struct kvm_msr_entry entries[MSRS_MAX];
};

/* KVM takes fewer than 256 in a call (MAX_IO_MSRS), and stops at one that it does not have, or
 * refuses. Returns the number of registers before that one; their values are in `entries`. */
static size_t access_msrs(const struct kvm_cpu *cpu, unsigned long request,
                          struct kvm_msr_entry *entries, size_t count)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[CALL_MSRS];
    } call = {.head.nmsrs = (uint32_t)(count < CALL_MSRS ? count : CALL_MSRS)};
    int done;

    memcpy(call.entries, entries, call.head.nmsrs * sizeof entries[0]);
    done = ioctl(cpu->fd, request, &call);
    if (done <= 0)
        return 0;
    memcpy(entries, call.entries, (size_t)done * sizeof entries[0]);
    return (size_t)done;
}

/* Reads the registers, and removes those that this vCPU does not have. */
static void get_msrs(const struct kvm_cpu *cpu, struct many_msrs *msrs)
{
    size_t have = 0;

    while (have < msrs->count) {
        size_t asked = msrs->count - have < CALL_MSRS ? msrs->count - have : CALL_MSRS;
        size_t told = access_msrs(cpu, KVM_GET_MSRS, msrs->entries + have, asked);

        have += told;
        if (told == asked)
            continue;
        msrs->count--;
        memmove(msrs->entries + have, msrs->entries + have + 1,
                (msrs->count - have) * sizeof msrs->entries[0]);
    }
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

/* A register that KVM does not return is one that this vCPU does not have. */
int kvm_read_msrs(const struct kvm *kvm, const struct kvm_cpu *cpu, bool without_tsc,
                  struct kvm_msrs_saved *msrs, struct error *error)
{
    struct kvm_msr_list *list = read_list(kvm, error);
    struct many_msrs all = {0};

    *msrs = (struct kvm_msrs_saved){0};
    if (list == NULL)
        return -1;
    for (uint32_t i = 0; i < list->nmsrs; i++)
        if (!without_tsc || list->indices[i] != MSR_TSC)
            all.entries[all.count++].index = list->indices[i];
    free(list);
    get_msrs(cpu, &all);
    msrs->entries = calloc(all.count + 1, sizeof msrs->entries[0]);
    if (msrs->entries == NULL)
        return error_set(error, "out of memory");
    memcpy(msrs->entries, all.entries, all.count * sizeof all.entries[0]);
    msrs->count = all.count;
    return 0;
}

void kvm_release_msrs(struct kvm_msrs_saved *msrs)
{
    free(msrs->entries);
    *msrs = (struct kvm_msrs_saved){0};
}

/* Finds the registers of `saved` that have another value now, or do not exist. */
static void find_changed(const struct kvm_cpu *cpu, const struct many_msrs *saved,
                         struct many_msrs *changed)
{
    struct many_msrs now = *saved;
    size_t at = 0;

    get_msrs(cpu, &now);
    for (size_t i = 0; i < saved->count; i++) {
        const struct kvm_msr_entry *entry = &saved->entries[i];
        bool told = at < now.count && now.entries[at].index == entry->index;

        if (!told || now.entries[at].data != entry->data)
            changed->entries[changed->count++] = *entry;
        at += told;
    }
}

/* A register that has its value already is not written: some are read-only, some have effects when
 * written. */
int kvm_load_msrs(const struct kvm_cpu *cpu, const struct chunk *chunk, struct error *error)
{
    struct many_msrs saved = {.count = chunk->size / sizeof saved.entries[0]}, changed = {0};
    size_t set = 0;

    if (chunk->version != VERSION || saved.count > MSRS_MAX ||
        saved.count * sizeof saved.entries[0] != chunk->size)
        return error_set(error, "the saved state of %s is damaged", chunk->name);
    memcpy(saved.entries, chunk->bytes, chunk->size);
    find_changed(cpu, &saved, &changed);
    while (set < changed.count) {
        size_t asked = changed.count - set < CALL_MSRS ? changed.count - set : CALL_MSRS;
        size_t done = access_msrs(cpu, KVM_SET_MSRS, changed.entries + set, asked);

        set += done;
        if (done < asked)
            return error_set(error, "KVM refuses %#llx for model-specific register %#x",
                             (unsigned long long)changed.entries[set].data,
                             changed.entries[set].index);
    }
    return 0;
}
