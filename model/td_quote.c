/* Quotes after the fold, in place of the tdx-guest driver, which cannot work in the folded kernel.
 * The module makes a TDREPORT; then the VMM gets the very exits that the driver's GetQuote would
 * make: a MapGPA for the buffer, KVM_EXIT_TDX, and it writes the quote into the buffer when it
 * comes. The buffer is memory that no table of the guest offers for use (firmware/layout.h,
 * reserved). */
#include "model/td.h"

#include "model/tdx_client.h"
#include "common/kvm_uapi.h"

#include <string.h>

#define BUFFER_GPA  0x1D0000ull
#define BUFFER_SIZE 0x5000ull

/* GHCI specification, "GetQuote shared buffer" */
struct quote_buffer {
	uint64_t version;
	uint64_t status;
	uint32_t in_size, out_size; /* bytes of data */
	uint8_t data[BUFFER_SIZE - 24];
};
_Static_assert(sizeof(struct quote_buffer) == BUFFER_SIZE, "quote buffer");
_Static_assert(sizeof(struct tdx_quote_answer) + sizeof(((struct quote_buffer *)0)->data) <=
	       REQUEST_MESSAGE_MAX, "answer");

#define VERSION 1u
#define STATUS_IN_FLIGHT UINT64_MAX

/* A refusal before the buffer was looked at; 0: none. */
static uint64_t refusal;

static struct quote_buffer *buffer(void)
{
	const struct model_region *r = model_region_of(BUFFER_GPA, BUFFER_SIZE);

	return r ? (struct quote_buffer *)(uintptr_t)(r->view.shared.host +
						      (BUFFER_GPA - r->gpa)) : NULL;
}

/* 64 bits of status in 32: the highest bit says failure, the low ones which. */
static uint32_t short_status(uint64_t status)
{
	return (uint32_t)(status >> 63) << 31 | (uint32_t)(status & 0x7FFFFFFF);
}

static enum agent_answer answer(struct agent_message *m, uint64_t status, const void *quote,
				uint32_t size)
{
	const struct tdx_quote_answer a = { .status = short_status(status), .size = size };

	memcpy(m->bytes, &a, sizeof(a));
	if (size != 0)
		memcpy(m->bytes + sizeof(a), quote, size);
	m->size = sizeof(a) + size;
	return AGENT_ANSWERED;
}

enum agent_answer td_agent_submit(struct model_vcpu *v, struct agent_message *m)
{
	struct tdx_quote_request request;
	uint8_t report[TDX_WIRE_REPORT_SIZE];
	struct quote_buffer *b = buffer();
	struct err e = { 0 };
	uint64_t status = 0;

	if (m->size != sizeof(request) || !b)
		return AGENT_FAILED;
	memcpy(&request, m->bytes, sizeof(request));
	if (tdx_mr_report(model.psp_fd, request.report_data, report, &status, &e) < 0) {
		model_log("%s", e.text);
		return AGENT_FAILED;
	}
	if (status != TDX_ST_SUCCESS)
		return answer(m, status, NULL, 0);
	memset(b, 0, sizeof(*b));
	b->version = VERSION;
	b->in_size = sizeof(report);
	memcpy(b->data, report, sizeof(report));
	refusal = 0;
	(void)exit_change_pages(v, BUFFER_GPA, BUFFER_SIZE / PAGE_BYTES, false, false,
				PENDING_AGENT_SHARE);
	return AGENT_LATER;
}

int td_agent_resume(struct model_vcpu *v)
{
	struct uapi_tdx_exit x = { .nr = UAPI_TDVMCALL_GET_QUOTE,
				   .ret = UAPI_TDVMCALL_UNSUPPORTED };
	uint8_t *at = (uint8_t *)v->run + UAPI_RUN_TDX_OFFSET;
	bool shared = v->pending == PENDING_AGENT_SHARE;

	v->pending = PENDING_NONE;
	if (!shared) {
		memcpy(&x, at, sizeof(x));
		refusal = x.ret;
		return ENTER_GUEST;
	}
	if (v->run->hypercall.ret != 0) {
		refusal = UAPI_TDVMCALL_INVALID;
		return ENTER_GUEST;
	}
	x.quote.gpa = BUFFER_GPA;
	x.quote.size = BUFFER_SIZE;
	memcpy(at, &x, sizeof(x));
	return exit_leave(v, UAPI_EXIT_TDX, PENDING_AGENT_QUOTE);
}

/* The guest could write the buffer, too: it can only fool itself. */
enum agent_answer td_agent_poll(struct agent_message *m)
{
	static struct quote_buffer copy; /* large, and under model.lock */
	const struct quote_buffer *b = buffer();
	uint64_t status;

	if (refusal != 0)
		return answer(m, refusal, NULL, 0);
	if (!b)
		return AGENT_FAILED;
	status = __atomic_load_n(&b->status, __ATOMIC_ACQUIRE);
	if (status == STATUS_IN_FLIGHT)
		return AGENT_LATER;
	memcpy(&copy, b, sizeof(copy));
	if (status != 0)
		return answer(m, status, NULL, 0);
	if (copy.out_size == 0 || copy.out_size > sizeof(copy.data))
		return AGENT_FAILED;
	return answer(m, 0, copy.data, copy.out_size);
}
