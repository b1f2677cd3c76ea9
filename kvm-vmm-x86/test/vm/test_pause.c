/* Unit tests of vm/pause.c, with threads as vCPUs: they count entries and exits of a "guest" that a
 * kick interrupts. pause.c needs KVM only to finish an exit, and that is counted here. */
#include <sched.h>
#include <string.h>

#include "cmocka_all.h"
#include "vm/pause.c" /* among the sources that need KVM: no unit test links it */

enum { CPUS = 3, ROUNDS = 2000 };

static struct vm vm;
static struct vcpu vcpus[CPUS];
static struct kvm_run runs[CPUS];
static unsigned in_guest, finished, taken; /* atomic */
static uint64_t entries[CPUS];             /* atomic */
static int answer_of_finish;

int kvm_finish_exit(const struct kvm_cpu *cpu)
{
    (void)cpu;
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELAXED);
    return answer_of_finish;
}

static unsigned woken_loops; /* atomic */

void events_wake(void)
{
    __atomic_fetch_add(&woken_loops, 1, __ATOMIC_RELAXED);
}

bool observers_take_exit(struct vcpu *vcpu)
{
    (void)vcpu;
    __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
    return false;
}

static unsigned count(const unsigned *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static uint64_t entries_of(unsigned i)
{
    return __atomic_load_n(&entries[i], __ATOMIC_ACQUIRE);
}

/* Handles requests as vcpu.c does. */
static bool goes_on(struct vcpu *vcpu)
{
    unsigned requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_ACQUIRE);

    if ((requests & VCPU_PAUSE) && !(requests & VCPU_STOP)) {
        pause_park(vcpu);
        requests = requests_of(vcpu);
    }
    return !(requests & VCPU_STOP);
}

static void *run_guest(void *argument)
{
    struct vcpu *vcpu = argument;
    volatile uint8_t *interrupted = &vcpu->cpu.run->immediate_exit;

    thread_kick_flag(interrupted);
    while (goes_on(vcpu)) {
        __atomic_fetch_add(&in_guest, 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&entries[vcpu->id], 1, __ATOMIC_RELEASE);
        while (!*interrupted)
            sched_yield();
        *interrupted = 0;
        __atomic_fetch_sub(&in_guest, 1, __ATOMIC_SEQ_CST);
    }
    pause_thread_over(vcpu);
    return NULL;
}

static void start(void)
{
    struct error error;

    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(pause_start_thread(&vcpus[i], run_guest, &vcpus[i], &error), 0);
}

static void stop_and_join(void)
{
    for (unsigned i = 0; i < CPUS; i++)
        vcpu_kick(&vcpus[i], VCPU_STOP);
    for (unsigned i = 0; i < CPUS; i++)
        thread_join(&vcpus[i].thread);
    assert_int_equal(vm_state(&vm), VM_ENDED);
    assert_int_equal(count(&in_guest), 0);
}

static int make(void **state)
{
    (void)state;
    thread_kicks_init();
    memset(runs, 0, sizeof runs);
    memset(entries, 0, sizeof entries);
    in_guest = finished = taken = 0;
    answer_of_finish = -EINTR;
    vm = (struct vm){.vcpus = vcpus, .vcpu_count = CPUS, .vcpus_made = CPUS};
    pause_init(&vm);
    for (unsigned i = 0; i < CPUS; i++)
        vcpus[i] = (struct vcpu){.vm = &vm, .id = i, .cpu = {.run = &runs[i]}};
    return 0;
}

/* A holder that counts its notifications. */
struct test_holder {
    struct pause_holder holder;
    unsigned told; /* atomic */
};

static void on_quiet(void *context)
{
    struct test_holder *h = context;

    assert_int_equal(count(&in_guest), 0);
    __atomic_fetch_add(&h->told, 1, __ATOMIC_RELEASE);
}

static struct test_holder new_holder(struct test_holder *at)
{
    return (struct test_holder){.holder = {.quiet = on_quiet, .context = at}};
}

static void await(const unsigned *counter, unsigned value)
{
    while (count(counter) != value)
        sched_yield();
}

static void await_entry(unsigned i, uint64_t after)
{
    while (entries_of(i) == after)
        sched_yield();
}

static void test_states(void **state)
{
    struct test_holder a = new_holder(&a), b = new_holder(&b);

    (void)state;
    assert_int_equal(vm_state(&vm), VM_CREATED);
    start();
    await(&in_guest, CPUS);
    assert_int_equal(vm_state(&vm), VM_RUNNING);
    assert_false(vm_is_held(&vm));
    assert_false(vm_pause(&vm, &a.holder));
    assert_true(vm_is_held(&vm));
    await(&a.told, 1);
    assert_int_equal(vm_state(&vm), VM_PAUSED);
    assert_int_equal(finished, CPUS);
    /* The VM is quiet at once for the second holder; the first one is not notified again. */
    assert_true(vm_pause(&vm, &b.holder));
    assert_false(vm_pause(&vm, &a.holder));
    vm_resume(&vm, &a.holder);
    assert_int_equal(vm_state(&vm), VM_PAUSED);
    woken_loops = 0;
    vm_resume(&vm, &b.holder);
    assert_int_equal(woken_loops, 1);
    assert_int_equal(vm_state(&vm), VM_RUNNING);
    await(&in_guest, CPUS);
    assert_int_equal(a.told + b.told, 1);
    stop_and_join();
}

/* Held before it starts: no vCPU enters the guest. */
static void test_paused_from_the_start(void **state)
{
    struct test_holder a = new_holder(&a);

    (void)state;
    assert_true(vm_pause(&vm, &a.holder));
    assert_int_equal(vm_state(&vm), VM_CREATED);
    start();
    assert_int_equal(vm_state(&vm), VM_PAUSED);
    assert_int_equal(entries_of(0) + entries_of(1) + entries_of(2), 0);
    vm_resume(&vm, &a.holder);
    await(&in_guest, CPUS);
    assert_int_equal(finished, 0); /* there was no exit yet */
    stop_and_join();
}

/* A device with a request in flight: a pause waits for it, even if no vCPU has to stop. */
static unsigned of_device; /* atomic; counts what woke its thread */

static void wake_device(void *context)
{
    (void)context;
    __atomic_fetch_add(&of_device, 1, __ATOMIC_RELEASE);
}

static void test_devices_are_asked(void **state)
{
    struct test_holder a = new_holder(&a), b = new_holder(&b), c = new_holder(&c);
    struct virtio_kind kind = {.virtio.name = "test", .virtio.queues = 1};
    struct virtio_device device = {.kind = &kind, .virtio.ops = &kind.virtio, .wake = wake_device};

    (void)state;
    of_device = 0;
    lock_init(&device.lock);
    vm.machine.virtio[0] = &device;
    vm.machine.virtio_count = 1;
    assert_true(vm_pause(&vm, &a.holder)); /* before it starts */
    assert_true(device.quiet);
    start();
    device.virtio.in_flight[0] = 1; /* as a device may while it finishes requests */
    assert_false(vm_pause(&vm, &b.holder));
    assert_true(device.awaited);
    assert_int_equal(b.told, 0);
    vm_wake(&vm); /* for another reason */
    assert_int_equal(count(&b.told), 0);
    __atomic_store_n(&device.virtio.in_flight[0], 0, __ATOMIC_RELEASE);
    vm_wake(&vm);
    await(&b.told, 1);
    assert_true(vm_pause(&vm, &c.holder));
    vm_resume(&vm, &a.holder);
    vm_resume(&vm, &b.holder);
    assert_int_equal(count(&of_device), 0);
    vm_resume(&vm, &c.holder);
    await(&in_guest, CPUS);
    assert_false(device.quiet);
    assert_int_equal(count(&of_device), 1);
    stop_and_join();
    vm.machine.virtio_count = 0;
}

/* A pause that begins and ends before the start does not leave the devices quiesced. */
static void test_a_pause_before_the_start(void **state)
{
    struct test_holder a = new_holder(&a);
    struct virtio_kind kind = {.virtio.name = "test", .virtio.queues = 1};
    struct virtio_device device = {.kind = &kind, .virtio.ops = &kind.virtio};

    (void)state;
    lock_init(&device.lock);
    vm.machine.virtio[0] = &device;
    vm.machine.virtio_count = 1;
    assert_true(vm_pause(&vm, &a.holder));
    vm_resume(&vm, &a.holder);
    start();
    await(&in_guest, CPUS);
    assert_false(device.quiet);
    stop_and_join();
    vm.machine.virtio_count = 0;
}

/* One of three vCPUs runs alone. */
static void test_one_alone(void **state)
{
    struct test_holder a = new_holder(&a);
    uint64_t before[CPUS];

    (void)state;
    start();
    await(&in_guest, CPUS);
    assert_false(vm_pause(&vm, &a.holder));
    await(&a.told, 1);
    for (unsigned i = 0; i < CPUS; i++)
        before[i] = entries_of(i);
    vm_hold_vcpu(&vcpus[0], true);
    vm_hold_vcpu(&vcpus[2], true);
    vm_resume(&vm, &a.holder);
    await_entry(1, before[1]);
    assert_int_equal(entries_of(0), before[0]);
    assert_int_equal(entries_of(2), before[2]);
    assert_true(vm_is_held(&vm));
    assert_false(vm_pause(&vm, &a.holder)); /* the one that runs must stop first */
    await(&a.told, 2);
    vm_hold_vcpu(&vcpus[0], false);
    vm_hold_vcpu(&vcpus[2], false);
    vm_resume(&vm, &a.holder);
    await_entry(0, before[0]);
    await_entry(2, before[2]);
    stop_and_join();
}

/* A vCPU that waits for input is quiet with its exit unfinished, and keeps waiting afterwards. */
static void *run_waiter(void *argument)
{
    struct vcpu *vcpu = argument;

    thread_kick_flag(&vcpu->cpu.run->immediate_exit);
    vcpu->again = true;
    while (goes_on(vcpu) && pause_wait(vcpu, vcpu->woken) != 0)
        ;
    __atomic_fetch_add(&entries[0], 1, __ATOMIC_RELEASE);
    pause_thread_over(vcpu);
    return NULL;
}

static void test_who_waits_for_input(void **state)
{
    struct test_holder a = new_holder(&a);
    struct error error;

    (void)state;
    vm.vcpus_made = 1;
    assert_int_equal(pause_start_thread(&vcpus[0], run_waiter, &vcpus[0], &error), 0);
    for (unsigned i = 0, told = 0; i < 100; i++) {
        if (!vm_pause(&vm, &a.holder)) /* it may not have left the gate since */
            await(&a.told, ++told);
        vm_resume(&vm, &a.holder);
    }
    assert_int_equal(finished, 0);
    assert_int_equal(entries_of(0), 0);
    vm_wake(&vm);
    thread_join(&vcpus[0].thread);
    assert_int_equal(entries_of(0), 1);
}

/* Finishing an exit may cause another one, which is kept. */
static void test_an_exit_that_follows(void **state)
{
    (void)state;
    answer_of_finish = 0;
    pause_finish_exit(&vcpus[0]);
    assert_int_equal(taken, 1);
    assert_true(vcpus[0].again);
    pause_finish_exit(&vcpus[0]); /* the exit is still pending: nothing to finish */
    assert_int_equal(finished, 1);
    assert_int_equal(pause_wait(&vcpus[0], vcpus[0].woken), 0); /* it need not wait */
}

/* While the first holder's slow callback runs, a second holder does not get "quiet already", but is
 * notified afterwards. */
static unsigned second_came, told_in_between; /* atomic */
static struct test_holder second;

static void on_quiet_slowly(void *context)
{
    on_quiet(context);
    await(&second_came, 1);
    told_in_between = count(&second.told);
}

static void test_one_is_told_at_a_time(void **state)
{
    struct test_holder a = new_holder(&a);

    (void)state;
    second_came = told_in_between = 0;
    second = new_holder(&second);
    a.holder.quiet = on_quiet_slowly;
    start();
    await(&in_guest, CPUS);
    assert_false(vm_pause(&vm, &a.holder));
    await(&a.told, 1);
    assert_false(vm_pause(&vm, &second.holder));
    __atomic_store_n(&second_came, 1, __ATOMIC_RELEASE);
    await(&second.told, 1);
    assert_int_equal(told_in_between, 0);
    vm_resume(&vm, &a.holder);
    vm_resume(&vm, &second.holder);
    stop_and_join();
}

/* vCPUs that were asked to stop are still parked: the VM is about to end, and no holder is
 * notified. */
static void test_the_end_is_not_quiet(void **state)
{
    struct test_holder a = new_holder(&a), b = new_holder(&b);

    (void)state;
    assert_true(vm_pause(&vm, &a.holder));
    vcpu_kick(&vcpus[0], VCPU_STOP);
    assert_false(vm_pause(&vm, &b.holder));
    start();
    for (unsigned i = 1; i < CPUS; i++)
        vcpu_kick(&vcpus[i], VCPU_STOP);
    for (unsigned i = 0; i < CPUS; i++)
        thread_join(&vcpus[i].thread);
    assert_int_equal(b.told, 0);
    vm_resume(&vm, &a.holder);
    vm_resume(&vm, &b.holder);
}

/* A vCPU ends while the others are asked to pause, and ends the VM, which is then never quiet. */
static void test_the_end_meanwhile(void **state)
{
    struct test_holder a = new_holder(&a);

    (void)state;
    start();
    await(&in_guest, CPUS);
    vcpu_kick(&vcpus[1], VCPU_STOP);
    assert_false(vm_pause(&vm, &a.holder));
    await(&in_guest, 0);
    vm_resume(&vm, &a.holder);
    stop_and_join();
    assert_false(vm_pause(&vm, &a.holder));
    assert_int_equal(vm_state(&vm), VM_ENDED);
    for (unsigned i = 0; i < CPUS; i++)
        vcpu_kick(&vcpus[i], VCPU_PAUSE); /* no thread is signalled: they have been joined */
    assert_int_equal(a.told, 0);
}

/* Two holders pause and resume at the same time, with many kicks, and no holder is notified too
 * early or never. */
static void *come_and_go(void *argument)
{
    struct test_holder *h = argument;

    for (unsigned i = 0, told = 0; i < ROUNDS; i++) {
        if (vm_pause(&vm, &h->holder))
            assert_int_equal(count(&in_guest), 0);
        else
            await(&h->told, ++told);
        vm_resume(&vm, &h->holder);
    }
    return NULL;
}

static void test_many_at_once(void **state)
{
    struct test_holder a = new_holder(&a), b = new_holder(&b);
    struct thread threads[2];
    struct error error;

    (void)state;
    start();
    assert_int_equal(thread_start(&threads[0], come_and_go, &a, &error), 0);
    assert_int_equal(thread_start(&threads[1], come_and_go, &b, &error), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        vcpu_kick(&vcpus[i % CPUS], VCPU_EXAMINE_HALT);
        vm_wake(&vm);
        sched_yield();
    }
    thread_join(&threads[0]);
    thread_join(&threads[1]);
    await(&in_guest, CPUS);
    assert_int_equal(vm_state(&vm), VM_RUNNING);
    stop_and_join();
}

/* Stops that come while threads start and end: the last one is not lost, and none signals a thread
 * that was joined. */
static void *kick_all(void *argument)
{
    const unsigned *over = argument;

    while (!count(over))
        for (unsigned i = 0; i < CPUS; i++)
            vcpu_kick(&vcpus[i], VCPU_STOP);
    return NULL;
}

static void test_kicks_around_a_life(void **state)
{
    struct thread kicker;
    struct error error;
    unsigned over = 0;

    (void)state;
    assert_int_equal(thread_start(&kicker, kick_all, &over, &error), 0);
    for (unsigned round = 0; round < 200; round++) {
        start();
        for (unsigned i = 0; i < CPUS; i++)
            thread_join(&vcpus[i].thread);
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    thread_join(&kicker);
    assert_int_equal(vm_state(&vm), VM_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_states, make),
        cmocka_unit_test_setup(test_paused_from_the_start, make),
        cmocka_unit_test_setup(test_devices_are_asked, make),
        cmocka_unit_test_setup(test_a_pause_before_the_start, make),
        cmocka_unit_test_setup(test_one_alone, make),
        cmocka_unit_test_setup(test_who_waits_for_input, make),
        cmocka_unit_test_setup(test_an_exit_that_follows, make),
        cmocka_unit_test_setup(test_one_is_told_at_a_time, make),
        cmocka_unit_test_setup(test_the_end_is_not_quiet, make),
        cmocka_unit_test_setup(test_the_end_meanwhile, make),
        cmocka_unit_test_setup(test_many_at_once, make),
        cmocka_unit_test_setup(test_kicks_around_a_life, make),
    };

    return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}
