/* The machine's serial port; see serial.h. The firmware has set the speed. */
#include "host/serial.h"

#include "abi/uart16550.h"
#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "host/interrupts.h"
#include "host/machine.h"
#include "lib/lock.h"

enum { SEND_SIZE = 65536, PUMP_MOST = 256, RECEIVE_SIZE = 256, BURST = 64 };
enum { POLLS_PER_SECOND = 50, PUMPS_PER_SECOND = 1000 };

static volatile uint8_t *base;
static struct lock lock; /* the rings, and the order of bytes on the line */
static char sending[SEND_SIZE];
static size_t send_head, send_count;
static uint8_t received[RECEIVE_SIZE];
static size_t receive_head, receive_count;

static struct cpu *listener; /* the hart that looks after the port */
static void (*receiver)(uint8_t byte);
static bool interrupting; /* else the port is looked at on a timer */
static uint64_t next_look;

static uint8_t get(unsigned reg)
{
    return base[(size_t)reg << machine.uart_shift];
}

static void put(unsigned reg, uint8_t value)
{
    base[(size_t)reg << machine.uart_shift] = value;
}

bool serial_init(void)
{
    if (machine.uart.base == 0)
        return false;
    base = (volatile uint8_t *)machine.uart.base;
    put(UART_FCR, UART_FCR_ENABLE);
    return true;
}

/* ---- Out ---- */

/* Sends what the line takes now, up to PUMP_MOST; the lock is held. */
static void pump(void)
{
    for (int most = PUMP_MOST; most > 0 && send_count > 0; most -= UART_FIFO_SIZE) {
        if ((get(UART_LSR) & UART_LSR_THRE) == 0)
            return;
        for (int room = UART_FIFO_SIZE; room > 0 && send_count > 0; room--, send_count--) {
            put(UART_DATA, (uint8_t)sending[send_head]);
            send_head = (send_head + 1) % SEND_SIZE;
        }
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
    while (base != NULL && send_count > 0 && hyp_time() < limit)
        pump();
    lock_drop(&lock);
}

/* ---- In ---- */

/* Takes what came in, a burst of it at most. What finds no room in the ring is lost, as it is on a
 * line that is not read. */
static void drain(void)
{
    lock_take(&lock);
    for (int i = 0; i < BURST && (get(UART_LSR) & UART_LSR_DR) != 0; i++) {
        uint8_t byte = get(UART_DATA);

        if (receive_count < RECEIVE_SIZE)
            received[(receive_head + receive_count++) % RECEIVE_SIZE] = byte;
    }
    lock_drop(&lock);
}

void serial_listen(void (*receive)(uint8_t byte))
{
    receiver = receive;
    if (base == NULL)
        return;
    interrupting = interrupts_connect(machine.uart.interrupt, drain);
    if (interrupting)
        put(UART_IER, UART_IER_RDA);
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
