/*
 * Topology by CPUID: Intel SDM volume 2, CPUID leaves 1, 4, 0xb and 0x1f; AMD APM volume 3,
 * appendix E, functions 8000_0001, 8000_0008, 8000_001d and 8000_001e. KVM's own leaves: Linux,
 * Documentation/virt/kvm/x86/cpuid.rst. See cpuid.h.
 */
#include "cpu/cpuid.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF1_EDX_HTT = 1 << 28, LEAF1_ECX_DEADLINE = 1 << 24 };
#define LEAF1_ECX_HYPERVISOR (UINT32_C(1) << 31)
#define LEAF1_EBX_ID         UINT32_C(0xffff0000) /* local APIC ID, maximum number of IDs */

/* Leaf 4 and 8000_001d, EAX: the number of local APIC IDs that share a cache, and (Intel only) the
 * number of cores. */
enum { CACHE_LEVEL_SHIFT = 5, CACHE_LEVEL_MASK = 7, CACHE_LAST = 3 };
enum { CACHE_SHARING_SHIFT = 14, CACHE_SHARING = 0xfff << CACHE_SHARING_SHIFT };
enum { CACHE_CORES_SHIFT = 26 };
#define CACHE_CORES (UINT32_C(0x3f) << CACHE_CORES_SHIFT)

enum { LEVEL_THREAD = 1, LEVEL_CORE = 2, LEVELS = 3, LEVEL_TYPE_SHIFT = 8 };
enum { AMD_LEGACY_CORES = 1 << 1, AMD_CORES = 0xf0ff, AMD_ID_BITS_SHIFT = 12 };

enum { LEAF_KVM_FEATURES = 0x40000001, KVM_STEAL_TIME = 1 << 5 };
enum { KVM_ASYNC_PF = 1 << 4, KVM_ASYNC_PF_VMEXIT = 1 << 10, KVM_ASYNC_PF_INT = 1 << 14 };

/* Nested virtualization (VMX, SMX, SVM), SGX and its launch control. */
enum { LEAF1_ECX_VMX = 1 << 5, LEAF1_ECX_SMX = 1 << 6, AMD_SVM = 1 << 2 };
enum { LEAF7_EBX_SGX = 1 << 2, LEAF7_ECX_SGX_LC = 1 << 30 };

enum { TOPOLOGY_LEAVES = 2 };
static const uint32_t topology_leaves[TOPOLOGY_LEAVES] = {0xb, 0x1f};

/* The number of bits that `count` IDs need. */
static unsigned bits_for(unsigned count)
{
    unsigned bits = 0;

    while (1u << bits < count)
        bits++;
    return bits;
}

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, uint32_t function)
{
    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == function)
            return &cpuid->entries[i];
    return NULL;
}

static void set_identity(struct kvm_cpuid_entry2 *leaf1, const struct cpuid_place *place)
{
    leaf1->ebx =
        (leaf1->ebx & ~LEAF1_EBX_ID) | place->id << 24 | 1u << bits_for(place->count) << 16;
    leaf1->edx &= ~(uint32_t)LEAF1_EDX_HTT;
    if (place->count > 1)
        leaf1->edx |= LEAF1_EDX_HTT;
    leaf1->ecx &= ~(uint32_t)(LEAF1_ECX_VMX | LEAF1_ECX_SMX);
    leaf1->ecx |= LEAF1_ECX_HYPERVISOR | (place->deadline ? LEAF1_ECX_DEADLINE : 0);
}

/* The last level is shared by the package, the others belong to each core. */
static void set_cache(struct kvm_cpuid_entry2 *cache, const struct cpuid_place *place, bool intel)
{
    uint32_t most = (1u << bits_for(place->count)) - 1;
    bool last = (cache->eax >> CACHE_LEVEL_SHIFT & CACHE_LEVEL_MASK) >= CACHE_LAST;

    if (cache->eax == 0) /* the end of the list */
        return;
    cache->eax &= ~(uint32_t)CACHE_SHARING;
    cache->eax |= last ? most << CACHE_SHARING_SHIFT : 0;
    if (intel)
        cache->eax = (cache->eax & ~CACHE_CORES) | most << CACHE_CORES_SHIFT;
}

static void set_amd_cores(struct kvm_cpuid_entry2 *sizes, const struct cpuid_place *place)
{
    sizes->ecx = (sizes->ecx & ~(uint32_t)AMD_CORES) | (place->count - 1) |
                 bits_for(place->count) << AMD_ID_BITS_SHIFT;
}

/* KVM updates stolen time at each VM entry, together with a version that the guest compares before
 * and after it reads. A single step is a VM entry, so a guest that is stepped through this would
 * never leave the loop. With asynchronous page faults KVM reports by an interrupt of the local APIC
 * that a page has arrived. If the local APIC is off, the report stays pending, and a vCPU with a
 * pending report does not sleep: HLT returns at once, forever (seen with Linux 6.1 and `nolapic`).
 */
static void set_features(struct kvm_cpuid_entry2 *features, const struct cpuid_place *place)
{
    if (place->no_lapic)
        features->eax &= ~(uint32_t)(KVM_ASYNC_PF | KVM_ASYNC_PF_VMEXIT | KVM_ASYNC_PF_INT);
    if (place->debugged)
        features->eax &= ~(uint32_t)KVM_STEAL_TIME;
}

static void clear(struct kvm_cpuid_entry2 *entry)
{
    entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
}

static void adapt_entry(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place, bool amd)
{
    switch (entry->function) {
    case 1:
        set_identity(entry, place);
        break;
    case 4:
        set_cache(entry, place, true);
        break;
    case 7:
        if (entry->index == 0) {
            entry->ebx &= ~(uint32_t)LEAF7_EBX_SGX;
            entry->ecx &= ~(uint32_t)LEAF7_ECX_SGX_LC;
        }
        break;
    case 0x12:       /* SGX */
    case 0x8000000a: /* SVM */
    case 0x8000001f: /* SEV */
        clear(entry);
        break;
    case LEAF_KVM_FEATURES:
        set_features(entry, place);
        break;
    case 0x80000001:
        entry->ecx &= ~(uint32_t)(AMD_LEGACY_CORES | AMD_SVM);
        if (amd && place->count > 1)
            entry->ecx |= AMD_LEGACY_CORES;
        break;
    case 0x80000008:
        if (amd)
            set_amd_cores(entry, place);
        break;
    case 0x8000001d:
        set_cache(entry, place, false);
        break;
    case 0x8000001e: /* this core, alone in its compute unit; node 0 */
        entry->eax = entry->ebx = place->id;
        entry->ecx = 0;
        break;
    default:
        break;
    }
}

/* Replaces the host's levels: one thread per core, `count` cores, and the end of the list. */
static void set_levels(struct kvm_cpuid2 *cpuid, uint32_t leaf, const struct cpuid_place *place)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function != leaf)
            cpuid->entries[kept++] = cpuid->entries[i];
    cpuid->nent = kept;
    for (uint32_t level = 0; level < LEVELS; level++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entries[cpuid->nent++];

        *e = (struct kvm_cpuid_entry2){.function = leaf,
                                       .index = level,
                                       .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
                                       .ecx = level,
                                       .edx = place->id};
        if (level == 0) {
            e->ebx = 1;
            e->ecx |= LEVEL_THREAD << LEVEL_TYPE_SHIFT;
        } else if (level == 1) {
            e->eax = bits_for(place->count);
            e->ebx = place->count;
            e->ecx |= LEVEL_CORE << LEVEL_TYPE_SHIFT;
        }
    }
}

static bool is_amd(struct kvm_cpuid2 *cpuid)
{
    static const char *const names[] = {"AuthcAMDenti", "HygouinenGen"};
    const struct kvm_cpuid_entry2 *vendor = find(cpuid, 0);

    if (vendor == NULL)
        return false;
    /* The name is in EBX, EDX, ECX, but the structure has EBX, ECX, EDX. */
    return memcmp(&vendor->ebx, names[0], 12) == 0 || memcmp(&vendor->ebx, names[1], 12) == 0;
}

struct kvm_cpuid2 *cpuid_adapt(const struct kvm_cpuid2 *offer, const struct cpuid_place *place)
{
    uint32_t room = offer->nent + TOPOLOGY_LEAVES * LEVELS;
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + room * sizeof cpuid->entries[0]);
    bool amd;

    if (cpuid == NULL)
        return NULL;
    memcpy(cpuid, offer, sizeof *offer + offer->nent * sizeof offer->entries[0]);
    amd = is_amd(cpuid);
    for (uint32_t i = 0; i < cpuid->nent; i++)
        adapt_entry(&cpuid->entries[i], place, amd);
    for (unsigned i = 0; i < TOPOLOGY_LEAVES; i++)
        if (find(cpuid, topology_leaves[i]) != NULL)
            set_levels(cpuid, topology_leaves[i], place);
    return cpuid;
}

unsigned cpuid_address_bits(const struct kvm_cpuid2 *cpuid)
{
    enum { ADDRESS_SIZES = 0x80000008, WITHOUT_THE_LEAF = 36 };

    for (unsigned i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == ADDRESS_SIZES && (cpuid->entries[i].eax & 0xff) != 0)
            return cpuid->entries[i].eax & 0xff;
    return WITHOUT_THE_LEAF;
}

/* Registers with one feature in each bit, and the bits that follow the guest's own registers
 * (OSXSAVE, OSPKE, local APIC enabled, MONITOR as an MSR enables it). */
static const struct {
    uint32_t function, index;
    char reg; /* the letter before X */
    uint32_t moving;
} cpuid_features[] = {
    {1, 0, 'C', 1u << 27 | 1u << 3},
    {1, 0, 'D', 1u << 9},
    {7, 0, 'B', 0},
    {7, 0, 'C', 1u << 4},
    {7, 0, 'D', 0},
    {7, 1, 'A', 0},
    {0xd, 0, 'A', 0},
    {0xd, 1, 'A', 0},
    {0x40000001, 0, 'A', 0},
    {0x80000001, 0, 'C', 0},
    {0x80000001, 0, 'D', 1u << 9},
    {0x80000008, 0, 'B', 0},
};

static uint32_t word_of(const struct kvm_cpuid_entry2 *entries, size_t count, uint32_t function,
                        uint32_t index, char reg)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].function == function && entries[i].index == index)
            return reg == 'A'   ? entries[i].eax
                   : reg == 'B' ? entries[i].ebx
                   : reg == 'C' ? entries[i].ecx
                                : entries[i].edx;
    return 0;
}

int cpuid_check(const struct kvm_cpuid_entry2 *saved, size_t saved_count,
                const struct kvm_cpuid_entry2 *here, size_t here_count, struct error *error)
{
    uint32_t had, has;

    for (size_t i = 0; i < sizeof cpuid_features / sizeof cpuid_features[0]; i++) {
        uint32_t f = cpuid_features[i].function, index = cpuid_features[i].index, missing;
        char reg = cpuid_features[i].reg;

        missing = word_of(saved, saved_count, f, index, reg) &
                  ~word_of(here, here_count, f, index, reg) & ~cpuid_features[i].moving;
        if (missing != 0)
            return error_set(error,
                             "the saved guest has CPU features that this host lacks (CPUID %#x.%u, "
                             "bits %#x of E%cX)",
                             f, index, missing, reg);
    }
    had = word_of(saved, saved_count, 0x80000008, 0, 'A') & 0xffff;
    has = word_of(here, here_count, 0x80000008, 0, 'A') & 0xffff;
    if ((had & 0xff) > (has & 0xff) || had >> 8 > has >> 8)
        return error_set(error,
                         "the saved guest has physical addresses of %u bits and virtual addresses "
                         "of %u; this host has %u and %u",
                         had & 0xff, had >> 8, has & 0xff, has >> 8);
    return 0;
}
