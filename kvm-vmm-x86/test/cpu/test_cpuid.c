/* Unit tests of cpu/cpuid.c: the guest's topology in place of the host's. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "cpu/cpuid.h"

enum { OFFERED = 13 };

/* What a host of 16 threads in 8 cores might offer. */
static struct kvm_cpuid2 *make_offer(const char vendor[12])
{
    static const struct kvm_cpuid_entry2 offered[OFFERED] = {
        {.function = 0, .eax = 0x1f},
        {.function = 1, .ebx = 0x0a100800, .ecx = 1, .edx = 1 << 28},
        {.function = 4, .index = 0, .eax = 0x1c004121, .flags = 1},
        {.function = 4, .index = 3, .eax = 0x1c03c163, .flags = 1},
        {.function = 4, .index = 4, .flags = 1},
        {.function = 0xb, .index = 0, .eax = 1, .ebx = 2, .edx = 10, .flags = 1},
        {.function = 0xb, .index = 1, .eax = 4, .ebx = 16, .edx = 10, .flags = 1},
        {.function = 0xd, .eax = 7, .flags = 1},
        {.function = 0x40000000, .eax = 0x40000001},
        {.function = 0x40000001, .eax = 0x01007efb},
        {.function = 0x80000001, .ecx = 0x10},
        {.function = 0x80000008, .ecx = 0x700f},
        {.function = 0x8000001e, .eax = 10, .ebx = 0x105, .ecx = 3},
    };
    struct kvm_cpuid2 *offer = calloc(1, sizeof *offer + sizeof offered);

    offer->nent = OFFERED;
    memcpy(offer->entries, offered, sizeof offered);
    memcpy(&offer->entries[0].ebx, vendor, 12);
    return offer;
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid, uint32_t function,
                                           uint32_t index)
{
    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
            return &cpuid->entries[i];
    fail_msg("no leaf %#x, %u", function, index);
    return NULL;
}

static struct kvm_cpuid2 *adapt(const char vendor[12], struct cpuid_place place)
{
    struct kvm_cpuid2 *offer = make_offer(vendor);
    struct kvm_cpuid2 *cpuid = cpuid_adapt(offer, &place);

    assert_non_null(cpuid);
    free(offer);
    return cpuid;
}

static void test_intel(void **state)
{
    struct kvm_cpuid2 *c =
        adapt("GenuntelineI", (struct cpuid_place){.id = 2, .count = 3, .deadline = true});

    (void)state;
    assert_int_equal(find(c, 1, 0)->ebx, 0x02040800);
    assert_int_equal(find(c, 1, 0)->ecx, UINT32_C(0x81000001));
    assert_int_equal(find(c, 1, 0)->edx, 1 << 28);
    assert_int_equal(find(c, 4, 0)->eax, 0x0c000121); /* a cache of one core; 4 numbers a package */
    assert_int_equal(find(c, 4, 3)->eax, 0x0c00c163); /* shared by all */
    assert_int_equal(find(c, 4, 4)->eax, 0);
    assert_int_equal(find(c, 0xb, 0)->ebx, 1);
    assert_int_equal(find(c, 0xb, 0)->ecx, 0x100);
    assert_int_equal(find(c, 0xb, 1)->eax, 2);
    assert_int_equal(find(c, 0xb, 1)->ebx, 3);
    assert_int_equal(find(c, 0xb, 1)->ecx, 0x201);
    assert_int_equal(find(c, 0xb, 1)->edx, 2);
    assert_int_equal(find(c, 0xb, 2)->ebx, 0);
    assert_int_equal(find(c, 0x40000000, 0)->eax, 0x40000001);
    assert_int_equal(find(c, 0x80000008, 0)->ecx, 0x700f); /* only for AMD */
    free(c);
}

static void test_amd(void **state)
{
    struct kvm_cpuid2 *c = adapt("AuthcAMDenti", (struct cpuid_place){.id = 63, .count = 64});

    (void)state;
    assert_int_equal(find(c, 1, 0)->ebx, 0x3f400800);
    assert_int_equal(find(c, 1, 0)->ecx, UINT32_C(0x80000001));
    assert_int_equal(find(c, 0x80000001, 0)->ecx, 0x12);
    assert_int_equal(find(c, 0x80000008, 0)->ecx, 0x603f);
    assert_int_equal(find(c, 0x8000001e, 0)->eax, 63);
    assert_int_equal(find(c, 0x8000001e, 0)->ebx, 63);
    assert_int_equal(find(c, 0x8000001e, 0)->ecx, 0);
    free(c);
}

static void test_one(void **state)
{
    struct kvm_cpuid2 *c = adapt("AuthcAMDenti", (struct cpuid_place){.id = 0, .count = 1});

    (void)state;
    assert_int_equal(find(c, 1, 0)->ebx, 0x00010800);
    assert_int_equal(find(c, 1, 0)->edx, 0); /* no HTT: one thread in all */
    assert_int_equal(find(c, 0x80000001, 0)->ecx, 0x10);
    assert_int_equal(find(c, 0x80000008, 0)->ecx, 0);
    assert_int_equal(find(c, 0xb, 1)->eax, 0);
    free(c);
}

/* Stolen time is offered, but not to a guest that may be stepped. */
static void test_debugged(void **state)
{
    struct kvm_cpuid2 *alone = adapt("GenuntelineI", (struct cpuid_place){.count = 1});
    struct kvm_cpuid2 *debugged =
        adapt("GenuntelineI", (struct cpuid_place){.count = 1, .debugged = true});

    (void)state;
    assert_int_equal(find(alone, 0x40000001, 0)->eax, 0x01007efb);
    assert_int_equal(find(debugged, 0x40000001, 0)->eax, 0x01007edb);
    free(alone);
    free(debugged);
}

/* Even if KVM supports nested guests, enclaves or encrypted guests, our guest gets none of these
 * features. */
static void test_what_the_machine_has_not(void **state)
{
    static const struct kvm_cpuid_entry2 offered[] = {
        {.function = 1, .ecx = 1u << 31 | 1 << 5 | 1 << 6 | 1},
        {.function = 7, .index = 0, .ebx = 0x219c07ad, .ecx = 0x40400004, .flags = 1},
        {.function = 7, .index = 1, .eax = 0x30, .ebx = 4, .flags = 1},
        {.function = 0x12, .index = 0, .eax = 0x63, .ebx = 1, .edx = 0x241f, .flags = 1},
        {.function = 0x12, .index = 1, .eax = 0x36, .flags = 1},
        {.function = 0x80000001, .ecx = 0x75c237ff},
        {.function = 0x8000000a, .eax = 1, .ebx = 8, .edx = 0x119b9cff},
        {.function = 0x8000001f, .eax = 0x1f, .ebx = 0xb33, .ecx = 0x1fd, .edx = 1},
    };
    enum { COUNT = sizeof offered / sizeof offered[0] };
    struct kvm_cpuid2 *offer = calloc(1, sizeof *offer + sizeof offered), *c;
    struct cpuid_place place = {.count = 1};

    (void)state;
    offer->nent = COUNT;
    memcpy(offer->entries, offered, sizeof offered);
    c = cpuid_adapt(offer, &place);
    assert_int_equal(find(c, 1, 0)->ecx, 1u << 31 | 1);
    assert_int_equal(find(c, 7, 0)->ebx, 0x219c07a9);
    assert_int_equal(find(c, 7, 0)->ecx, 0x00400004);
    assert_int_equal(find(c, 7, 1)->ebx, 4);
    assert_int_equal(find(c, 0x12, 0)->eax | find(c, 0x12, 0)->edx | find(c, 0x12, 1)->eax, 0);
    assert_int_equal(find(c, 0x80000001, 0)->ecx, 0x75c237f9); /* no legacy core count either */
    assert_int_equal(find(c, 0x8000000a, 0)->eax | find(c, 0x8000000a, 0)->edx, 0);
    assert_int_equal(find(c, 0x8000001f, 0)->eax | find(c, 0x8000001f, 0)->ecx, 0);
    free(offer);
    free(c);
}

static void test_no_lapic(void **state)
{
    struct kvm_cpuid2 *c =
        adapt("GenuntelineI", (struct cpuid_place){.count = 1, .no_lapic = true});

    (void)state;
    assert_int_equal(find(c, 0x40000001, 0)->eax, 0x01003aeb); /* no async page fault */
    free(c);
}

static void test_address_bits(void **state)
{
    struct kvm_cpuid2 *offer = make_offer("GenuntelineI");

    (void)state;
    offer->entries[OFFERED - 2].eax = 0x3028;
    assert_int_equal(cpuid_address_bits(offer), 40);
    offer->entries[OFFERED - 2].function = 0x80000007; /* an old processor has no such leaf */
    assert_int_equal(cpuid_address_bits(offer), 36);
    free(offer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_intel),
                                       cmocka_unit_test(test_amd),
                                       cmocka_unit_test(test_one),
                                       cmocka_unit_test(test_debugged),
                                       cmocka_unit_test(test_what_the_machine_has_not),
                                       cmocka_unit_test(test_no_lapic),
                                       cmocka_unit_test(test_address_bits)};

    return cmocka_run_group_tests_name("cpuid", tests, NULL, NULL);
}
