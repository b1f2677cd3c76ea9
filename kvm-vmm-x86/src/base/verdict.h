/* What becomes of a vCPU after one of its exits, or one access to a device, was handled. */
#ifndef VERDICT_H
#define VERDICT_H

enum verdict {
    VERDICT_RESUME, /* it goes on */
    VERDICT_STOP,   /* its guest has ended, and the reason was given */
    VERDICT_AGAIN   /* it was not finished (no input yet, ...): handle it again once woken */
};

#endif
