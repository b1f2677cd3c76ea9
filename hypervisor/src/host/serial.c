/* The machine's serial port; see serial.h. The firmware has set the speed. */
#include "host/serial.h"

#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "host/interrupts.h"
#include "host/machine.h"
#include "host/port.h"
#include "lib/lock.h"

enum { SEND_SIZE = 65536, RECEIVE_SIZE = 256, BURST = 64 };
enum { POLLS_PER_SECOND = 50, PUMPS_PER_SECOND = 1000 };

static struct lock lock; /* the rings, and the order of bytes on the line */
static char sending[SEND_SIZE];
static size_t send_head, send_count;
static uint8_t received[RECEIVE_SIZE];
static size_t receive_head, receive_count;

static struct cpu *listener; /* the hart that serves the port */
static void (*receiver)(uint8_t byte);
static bool interrupting; /* else a timer polls the port */
static uint64_t next_look;

void serial_init(void)
{
    port_open(&machine.uart);
}

/* ---- Out ---- */

/* Sends as much as the line takes now, at most one burst. The lock is held. */
static void pump(void)
{
    size_t sent = 1;

    for (size_t most = port_burst(); sent > 0 && most > 0 && send_count > 0; most -= sent) {
        sent =
            port_send(sending + send_head, min64(min64(most, send_count), SEND_SIZE - send_head));
        send_head = (send_head + sent) % SEND_SIZE;
        send_count -= sent;
    }
}

size_t serial_write(const char *text, size_t length)
{
    bool was_empty;
    size_t taken = 0;

    lock_take(&lock);
    was_empty = send_count == 0;
    for (pump(); taken < length && send_count < SEND_SIZE; taken++)
        sending[(send_head + send_count++) % SEND_SIZE] = text[taken];
    pump();
    if (was_empty && send_count > 0 && listener != NULL)
        cpu_kick(listener); /* its timer must come for the rest */
    lock_drop(&lock);
    return taken;
}

size_t serial_room(void)
{
    return SEND_SIZE - __atomic_load_n(&send_count, __ATOMIC_RELAXED);
}

void serial_flush(void)
{
    uint64_t limit = hyp_time() + machine.timebase;

    lock_take(&lock);
    while (send_count > 0 && hyp_time() < limit)
        pump();
    lock_drop(&lock);
}

/* ---- In ---- */

/* Reads the bytes that came in, at most one burst. If the ring is full, they are lost. */
static void drain(void)
{
    lock_take(&lock);
    for (int i = 0; i < BURST; i++) {
        int byte = port_receive();

        if (byte < 0)
            break;
        if (receive_count < RECEIVE_SIZE)
            received[(receive_head + receive_count++) % RECEIVE_SIZE] = (uint8_t)byte;
    }
    lock_drop(&lock);
}

void serial_listen(void (*receive)(uint8_t byte))
{
    receiver = receive;
    interrupting = port_can_interrupt() && interrupts_connect(machine.uart.interrupt, drain);
    if (interrupting)
        port_interrupt();
    __atomic_store_n(&listener, cpu_self(), __ATOMIC_RELEASE);
}

void serial_poll(void)
{
    if (cpu_self() != listener)
        return;
    if (send_count > 0) {
        lock_take(&lock);
        pump();
        lock_drop(&lock);
    }
    if (interrupting || hyp_time() < next_look)
        return;
    next_look = hyp_time() + machine.timebase / POLLS_PER_SECOND;
    drain();
}

uint64_t serial_next_poll(void)
{
    uint64_t when = ~0ul;

    if (cpu_self() != listener)
        return when;
    if (!interrupting)
        when = next_look;
    if (__atomic_load_n(&send_count, __ATOMIC_RELAXED) > 0)
        when = min64(when, hyp_time() + machine.timebase / PUMPS_PER_SECOND);
    return when;
}

void serial_deliver(void)
{
    while (cpu_self() == listener && __atomic_load_n(&receive_count, __ATOMIC_RELAXED) > 0) {
        uint8_t byte;

        lock_take(&lock);
        byte = received[receive_head];
        receive_head = (receive_head + 1) % RECEIVE_SIZE;
        receive_count--;
        lock_drop(&lock);
        receiver(byte);
    }
}
