/*
 * The machine's virtio network card, which guests share (vm/network.h). All that the device is told
 * of are pages that the driver owns for good.
 */
#ifndef HOST_NIC_H
#define HOST_NIC_H

#include "lib/types.h"

enum { NIC_ORDER = 5 };                      /* of the pages that it needs */
enum { NIC_BUFFERS = 28, NIC_FRAME = 1514 }; /* frames on their way in, or out */

/* Brings the first of the machine's cards up on zeroed `pages`, which stay its own; `arrived` is
 * called when frames may have come in, on some hart, with no lock held. False where there is no
 * card, or it does not start. */
bool nic_open(void *pages, void (*arrived)(void)) MUST_CHECK;
bool nic_is_open(void);
/* Does it interrupt when frames come in? Otherwise somebody must look. */
bool nic_interrupts(void);
void nic_address(uint8_t mac[6]);

/* Sends a frame of up to NIC_FRAME bytes; where the card has no room it is lost, as on any wire. */
void nic_send(const uint8_t *frame, size_t size);
bool nic_has_frame(void);
/* Takes a frame, NIC_FRAME bytes at most; 0: there was no more. By one task. */
size_t nic_receive(uint8_t *frame) MUST_CHECK;

#endif
