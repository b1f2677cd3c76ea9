/* virtio entropy device (virtio 1.2, 5.4): random bytes for guests, from lib/random.h. */
#ifndef DEV_VIRTIO_RNG_H
#define DEV_VIRTIO_RNG_H

#include "dev/virtio/slot.h"

extern const struct slot_kind rng_kind; /* without device state */

#endif
