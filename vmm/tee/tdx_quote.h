/* A trust domain asks for a quote (Intel GHCI 1.5 §3.3, TDG.VP.VMCALL<GetQuote>): its TDREPORT goes
 * to pavise-quote, which alone speaks to the quote generation service, and the quote comes back
 * into the guest's buffer whenever it is there. */
#ifndef PAVISE_VMM_TEE_TDX_QUOTE_H
#define PAVISE_VMM_TEE_TDX_QUOTE_H

#include "common/err.h"
#include "common/quote_wire.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vm;

/* Of the guest's buffer, struct tdx_quote_buf of Linux. */
#define TDX_QUOTE_VERSION     1ull
#define TDX_QUOTE_DONE        0ull
#define TDX_QUOTE_IN_FLIGHT   UINT64_MAX
#define TDX_QUOTE_ERROR       0x8000000000000000ull
#define TDX_QUOTE_UNAVAILABLE 0x8000000000000001ull
#define TDX_QUOTE_DATA        24u           /* offset of report and quote */
#define TDX_QUOTE_BUFFER_MAX  (128ull << 10) /* bytes; Linux's has 8 KiB */

struct tdx_quote_request {
	bool busy;
	uint32_t id;
	uint64_t gpa, size; /* of the guest's buffer, bytes */
};

struct tdx_quotes {
	int fd; /* to pavise-quote; -1: there is none, or it broke its promises */
	uint32_t next_id;
	struct tdx_quote_request request[QUOTE_OUTSTANDING_MAX];
	int notify_fd;       /* raises notify_gsi; -1 without pavise-quote */
	uint32_t notify_gsi;
	bool notify;         /* the guest asked for an interrupt */
	pthread_mutex_t lock;
};

/* Takes the socket (-1: every quote is unavailable); vm->vm_fd is set. 0, -EX_HOST or
 * -EX_INTERNAL. */
int tdx_quote_init(struct vm *vm, int fd, struct err *e);

/* GetQuote and SetupEventNotifyInterrupt; returns the status for R10, UAPI_TDVMCALL_*. Nothing is
 * waited for: the answer to a quote comes by tdx_quote_wake. */
uint64_t tdx_quote_get(struct vcpu *v, uint64_t gpa, uint64_t size);
uint64_t tdx_quote_notify(struct vcpu *v, uint64_t vector);

/* What the main thread has to wait for, -1: nothing; and what it does when that is readable. */
int tdx_quote_fd(struct vm *vm);
void tdx_quote_wake(struct vm *vm);

#endif
