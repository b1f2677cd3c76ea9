/*
 * The 16550A UART as its drivers and its imitations see it: registers by their offset, and the bits
 * of each. National Semiconductor PC16550D data sheet, section 8. Read by C and by assembly.
 */
#ifndef ABI_UART16550_H
#define ABI_UART16550_H

/* Where a PC has its first one. */
#define UART_COM1     0x3f8
#define UART_COM1_IRQ 4

#define UART_FIFO_SIZE 16

#define UART_DATA 0 /* read: received byte (RBR), write: byte to send (THR); DLAB: divisor, low */
#define UART_IER  1 /* which events interrupt; DLAB: divisor, high */
#define UART_IIR  2 /* read: which event interrupts */
#define UART_FCR  2 /* write: the FIFOs */
#define UART_LCR  3 /* the format of a byte on the line */
#define UART_MCR  4 /* modem outputs */
#define UART_LSR  5 /* state of the line */
#define UART_MSR  6 /* modem inputs */
#define UART_SCR  7 /* a byte to keep */

#define UART_IER_RDA  0x01 /* received data available */
#define UART_IER_THRE 0x02 /* transmitter holding register empty */
#define UART_IER_RLS  0x04 /* receiver line status */
#define UART_IER_MASK 0x0f

#define UART_IIR_NONE    0x01
#define UART_IIR_THRE    0x02
#define UART_IIR_RDA     0x04
#define UART_IIR_RLS     0x06
#define UART_IIR_TIMEOUT 0x0c /* fewer bytes than the trigger level wait */
#define UART_IIR_FIFOS   0xc0 /* the FIFOs are on */

#define UART_FCR_ENABLE        0x01
#define UART_FCR_CLEAR_RX      0x02
#define UART_FCR_CLEAR_TX      0x04
#define UART_FCR_TRIGGER_SHIFT 6 /* received bytes that interrupt: 1, 4, 8 or 14 */

#define UART_LCR_8_BITS 0x03
#define UART_LCR_DLAB   0x80 /* the first two registers are the divisor */

#define UART_MCR_DTR  0x01
#define UART_MCR_RTS  0x02
#define UART_MCR_OUT1 0x04
#define UART_MCR_OUT2 0x08 /* on a PC: lets the interrupt through */
#define UART_MCR_LOOP 0x10
#define UART_MCR_MASK 0x1f

#define UART_LSR_DR   0x01 /* data ready */
#define UART_LSR_OE   0x02 /* overrun */
#define UART_LSR_THRE 0x20
#define UART_LSR_TEMT 0x40 /* transmitter empty */

#define UART_MSR_CTS 0x10
#define UART_MSR_DSR 0x20
#define UART_MSR_RI  0x40
#define UART_MSR_DCD 0x80 /* the carrier: somebody is at the other end */

#endif
