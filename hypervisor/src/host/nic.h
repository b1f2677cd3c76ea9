/*
 * The machine's virtio network card, which guests share (vm/network.h). The device gets only
 * addresses of pages that the driver keeps.
 */
#ifndef HOST_NIC_H
#define HOST_NIC_H

#include "lib/types.h"

enum { NIC_ORDER = 5 };                      /* of the pages that it needs */
enum { NIC_BUFFERS = 28, NIC_FRAME = 1514 }; /* frames on their way in, or out */

/* Starts the first of the machine's cards with zeroed `pages`, which it keeps; `arrived` is called
 * when frames may have come in, on any hart, with no lock held. False if there is no card, or it
 * does not start. */
bool nic_open(void *pages, void (*arrived)(void)) MUST_CHECK;
bool nic_is_open(void);
/* Whether it interrupts when frames come in; otherwise it must be polled. */
bool nic_interrupts(void);
void nic_address(uint8_t mac[6]);

/* Sends a frame of up to NIC_FRAME bytes; it is dropped if the card has no room. */
void nic_send(const uint8_t *frame, size_t size);
bool nic_has_frame(void);
/* Takes a frame, NIC_FRAME bytes at most; 0: there was no more. By one task. */
size_t nic_receive(uint8_t *frame) MUST_CHECK;

#endif
