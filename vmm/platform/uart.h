/* A 16550 without receiver: what Linux's 8250 driver needs to print. A byte written to THR is
 * sent at once, so the transmitter is always empty and only the THRE interrupt exists. */
#ifndef PAVISE_VMM_PLATFORM_UART_H
#define PAVISE_VMM_PLATFORM_UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_PORTS 8u

typedef void (*uart_irq_fn)(void *ctx, int level);
typedef void (*uart_put_fn)(void *ctx, uint8_t byte); /* must not block for ever */

struct uart {
	uart_put_fn put;
	void *put_ctx;
	uart_irq_fn irq;
	void *irq_ctx;
	uint8_t ier, lcr, mcr, fcr, scratch, dll, dlm;
	bool thre_pending; /* a THRE interrupt not yet acknowledged by a read of IIR */
	bool rx_full;      /* a byte that loopback brought back */
	uint8_t rx;
};

void uart_init(struct uart *u, uart_put_fn put, void *put_ctx, uart_irq_fn irq, void *irq_ctx);

/* dispatch callbacks, ctx = struct uart. Registers are bytes: wider accesses see all ones and
 * write nothing. */
uint64_t uart_read(void *ctx, uint64_t offset, unsigned size);
void uart_write(void *ctx, uint64_t offset, unsigned size, uint64_t value);

#endif
