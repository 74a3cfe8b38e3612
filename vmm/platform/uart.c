#include "vmm/platform/uart.h"

#include <string.h>

/* PC16550D §8: registers by offset; DLL and DLM replace 0 and 1 while LCR.DLAB is set. */
enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCRATCH };

#define IER_RX       0x01u
#define IER_THRE     0x02u
#define IER_BITS     0x0Fu
#define IIR_NONE     0x01u
#define IIR_THRE     0x02u
#define IIR_RX       0x04u
#define IIR_FIFO     0xC0u
#define FCR_ENABLE   0x01u
#define FCR_CLEAR_RX 0x02u
#define LCR_DLAB     0x80u
#define MCR_BITS     0x1Fu
#define MCR_LOOP     0x10u
#define LSR_DATA     0x01u
#define LSR_EMPTY    0x60u /* THR and shift register */
#define MSR_IDLE     0xB0u /* carrier, data set and clear to send */

void uart_init(struct uart *u, uart_put_fn put, void *put_ctx, uart_irq_fn irq, void *irq_ctx)
{
	memset(u, 0, sizeof(*u));
	u->put = put;
	u->put_ctx = put_ctx;
	u->irq = irq;
	u->irq_ctx = irq_ctx;
	u->dll = 12; /* 9600 baud, whatever that means here */
}

static void update_line(struct uart *u)
{
	bool rx = (u->ier & IER_RX) && u->rx_full;
	bool thre = (u->ier & IER_THRE) && u->thre_pending;

	u->irq(u->irq_ctx, rx || thre);
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t fifo = u->fcr & FCR_ENABLE ? IIR_FIFO : 0;

	if ((u->ier & IER_RX) && u->rx_full)
		return (uint8_t)(fifo | IIR_RX);
	if ((u->ier & IER_THRE) && u->thre_pending) {
		u->thre_pending = false; /* reading the cause acknowledges this one */
		update_line(u);
		return (uint8_t)(fifo | IIR_THRE);
	}
	return (uint8_t)(fifo | IIR_NONE);
}

static uint8_t read_data(struct uart *u)
{
	uint8_t byte = u->rx_full ? u->rx : 0;

	u->rx_full = false;
	update_line(u);
	return byte;
}

/* In loopback the modem outputs come back as inputs: DTR RTS OUT1 OUT2 as DSR CTS RI DCD. */
static uint8_t read_msr(const struct uart *u)
{
	unsigned m = u->mcr;

	if (!(m & MCR_LOOP))
		return MSR_IDLE;
	return (uint8_t)((m & 1) << 5 | (m & 2) << 3 | (m & 4) << 4 | (m & 8) << 4);
}

uint64_t uart_read(void *ctx, uint64_t offset, unsigned size)
{
	struct uart *u = ctx;
	bool dlab = u->lcr & LCR_DLAB;

	if (size != 1)
		return ~0ull;
	switch (offset) {
	case REG_DATA:    return dlab ? u->dll : read_data(u);
	case REG_IER:     return dlab ? u->dlm : u->ier;
	case REG_IIR_FCR: return read_iir(u);
	case REG_LCR:     return u->lcr;
	case REG_MCR:     return u->mcr;
	case REG_LSR:     return LSR_EMPTY | (u->rx_full ? LSR_DATA : 0);
	case REG_MSR:     return read_msr(u);
	case REG_SCRATCH: return u->scratch;
	}
	return ~0ull;
}

/* The byte is gone at once. The line drops first, so that an edge-triggered pin sees a new edge
 * for every byte. */
static void transmit(struct uart *u, uint8_t byte)
{
	if (u->mcr & MCR_LOOP) {
		u->rx = byte;
		u->rx_full = true;
	} else {
		u->put(u->put_ctx, byte);
	}
	u->thre_pending = false;
	update_line(u);
	u->thre_pending = true;
	update_line(u);
}

/* Enabling the THRE interrupt while THR is empty raises it (PC16550D §8.6.1). */
static void write_ier(struct uart *u, uint8_t byte)
{
	if ((byte & IER_THRE) && !(u->ier & IER_THRE))
		u->thre_pending = true;
	u->ier = byte & IER_BITS;
	update_line(u);
}

static void write_fcr(struct uart *u, uint8_t byte)
{
	u->fcr = byte;
	if (byte & FCR_CLEAR_RX)
		u->rx_full = false;
	update_line(u);
}

void uart_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct uart *u = ctx;
	uint8_t byte = (uint8_t)value;
	bool dlab = u->lcr & LCR_DLAB;

	if (size != 1)
		return;
	switch (offset) {
	case REG_DATA:
		if (dlab)
			u->dll = byte;
		else
			transmit(u, byte);
		break;
	case REG_IER:
		if (dlab)
			u->dlm = byte;
		else
			write_ier(u, byte);
		break;
	case REG_IIR_FCR: write_fcr(u, byte); break;
	case REG_LCR:     u->lcr = byte; break;
	case REG_MCR:     u->mcr = byte & MCR_BITS; break;
	case REG_SCRATCH: u->scratch = byte; break;
	}
}
