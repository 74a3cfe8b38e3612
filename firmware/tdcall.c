#include "firmware/tdcall.h"

#include "firmware/layout.h"

#define S_BIT (1ull << TDX_S_BIT)

/* TDG.VP.INFO: RCX bits 5:0 width of addresses, RDX attributes. */
#define GPAW_MASK 0x3Full

#define DIRECTION_READ  0u
#define DIRECTION_WRITE 1u

/* Levels of TDG.MEM.PAGE.ACCEPT, in bits 2:0 of the address. */
#define LEVEL_4K 0u
#define LEVEL_2M 1u

enum fw_stop tdx_check_domain(const struct tdx_ops *o)
{
	struct tdx_regs r = { 0 };

	if (o->call(o->ctx, TDG_VP_INFO, &r) != 0)
		return STOP_TDX_ABSENT;
	if ((r.rcx & GPAW_MASK) != TDX_GPAW)
		return STOP_TDX_GPAW;
	if ((r.rdx & TDX_ATTRIBUTE_DEBUG) != 0)
		return STOP_TDX_ATTRIBUTES;
	if ((r.rdx & TDX_ATTRIBUTE_SEPT_VE_DISABLE) == 0)
		return STOP_TDX_SEPT_VE;
	return r.rdx == TDX_ATTRIBUTE_SEPT_VE_DISABLE ? STOP_HANDED_OVER : STOP_TDX_ATTRIBUTES;
}

enum fw_stop tdx_rtmr_extend(const struct tdx_ops *o, unsigned index, uint64_t buffer)
{
	struct tdx_regs r = { .rcx = buffer, .rdx = index };

	return o->call(o->ctx, TDG_MR_RTMR_EXTEND, &r) == 0 ? STOP_HANDED_OVER : STOP_TDX_RTMR;
}

enum fw_stop tdx_page_accept(const struct tdx_ops *o, uint64_t gpa, bool large)
{
	struct tdx_regs r = { .rcx = gpa | (large ? LEVEL_2M : LEVEL_4K) };
	uint64_t status = o->call(o->ctx, TDG_MEM_PAGE_ACCEPT, &r);

	if (status == 0)
		return STOP_HANDED_OVER;
	if ((status & TDX_STATUS_MASK) == TDX_PAGE_ALREADY_ACCEPTED)
		return STOP_TDX_ACCEPTED;
	if ((status & TDX_STATUS_MASK) == TDX_PAGE_SIZE_MISMATCH)
		return STOP_TDX_ACCEPT_SIZE;
	return STOP_TDX_ACCEPT;
}

/* R12 to R15 are the sub-function's; R10 is its status then, R11 its result. */
static enum fw_stop ask(const struct tdx_ops *o, uint64_t function, struct tdx_regs *r)
{
	r->rcx = TDVMCALL_EXPOSED;
	r->r11 = function;
	return o->call(o->ctx, TDG_VP_VMCALL, r) == 0 ? STOP_HANDED_OVER : STOP_TDX_CALL;
}

static enum fw_stop ask_and_succeed(const struct tdx_ops *o, uint64_t function, struct tdx_regs *r)
{
	enum fw_stop status = ask(o, function, r);

	if (status == STOP_HANDED_OVER && r->r10 != TDVMCALL_SUCCESS)
		return STOP_TDVMCALL_RESPONSE;
	return status;
}

/* One call for [at, to). Where the host says it got to, bounded, in *next. */
static enum fw_stop map_some(const struct tdx_ops *o, uint64_t at, uint64_t to, uint64_t *next)
{
	struct tdx_regs r = { .r12 = at, .r13 = to - at };
	enum fw_stop status = ask(o, TDVMCALL_MAP_GPA, &r);

	if (status != STOP_HANDED_OVER)
		return status;
	if (r.r10 == TDVMCALL_SUCCESS) {
		*next = to;
		return STOP_HANDED_OVER;
	}
	if (r.r10 != TDVMCALL_RETRY)
		return STOP_MAP_GPA_REFUSED;
	if (r.r11 < at || r.r11 >= to || r.r11 % FW_PAGE != 0)
		return STOP_MAP_GPA_PROGRESS;
	*next = r.r11;
	return STOP_HANDED_OVER;
}

enum fw_stop tdvmcall_map_private(const struct tdx_ops *o, uint64_t from, uint64_t to)
{
	uint64_t at = from;
	unsigned stalls = 0;

	while (at < to) {
		uint64_t next = at;
		enum fw_stop status = map_some(o, at, to, &next);

		if (status != STOP_HANDED_OVER)
			return status;
		if (next == at && ++stalls > TDVMCALL_STALLS)
			return STOP_MAP_GPA_PROGRESS;
		at = next;
	}
	return STOP_HANDED_OVER;
}

enum fw_stop tdvmcall_mmio_read(const struct tdx_ops *o, uint64_t gpa, uint32_t *out)
{
	struct tdx_regs r = { .r12 = sizeof(*out), .r13 = DIRECTION_READ, .r14 = gpa | S_BIT };
	enum fw_stop status = ask_and_succeed(o, TDVMCALL_MMIO, &r);

	*out = (uint32_t)r.r11;
	return status;
}

enum fw_stop tdvmcall_mmio_write(const struct tdx_ops *o, uint64_t gpa, uint32_t value)
{
	struct tdx_regs r = { .r12 = sizeof(value), .r13 = DIRECTION_WRITE, .r14 = gpa | S_BIT,
			      .r15 = value };

	return ask_and_succeed(o, TDVMCALL_MMIO, &r);
}

enum fw_stop tdvmcall_port_write(const struct tdx_ops *o, uint16_t port, uint32_t value)
{
	struct tdx_regs r = { .r12 = sizeof(value), .r13 = DIRECTION_WRITE, .r14 = port,
			      .r15 = value };

	return ask_and_succeed(o, TDVMCALL_IO, &r);
}
