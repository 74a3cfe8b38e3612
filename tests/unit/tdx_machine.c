#include "tests/unit/tdx_machine.h"

#include "firmware/sha2.h"

#include <string.h>

#define S_BIT        (1ull << TDX_S_BIT)
#define PAGE_OF(gpa) ((gpa) / FW_PAGE)
#define JUNK         TDX_MACHINE_JUNK

static void fault(struct tdx_machine *m, const char *what)
{
	if (m->fault == NULL)
		m->fault = what;
}

static void answer(struct tdx_regs *r, uint64_t status, uint64_t result)
{
	r->r10 = status;
	r->r11 = result;
}

static void map_gpa(struct tdx_machine *m, struct tdx_regs *r)
{
	const bool private = (r->r12 & S_BIT) == 0;
	const uint64_t from = r->r12 & ~S_BIT;
	uint64_t size = r->r13;

	m->map_calls++;
	if (from % FW_PAGE != 0 || size % FW_PAGE != 0 || size == 0 ||
	    from > TDX_MACHINE_MEMORY || size > TDX_MACHINE_MEMORY - from ||
	    (r->r14 | r->r15) != 0) {
		fault(m, "a MapGPA of no memory");
		return;
	}
	if (m->map_limit != 0 && m->map_limit < size)
		size = m->map_limit;
	for (uint64_t at = from; at < from + size; at += FW_PAGE) {
		if (!private && m->accepted[PAGE_OF(at)])
			fault(m, "an accepted page was given away");
		m->is_private[PAGE_OF(at)] = private;
	}
	if (size == r->r13)
		answer(r, TDVMCALL_SUCCESS, JUNK);
	else
		answer(r, TDVMCALL_RETRY, r->r12 + size);
}

static void access_io(struct tdx_machine *m, struct tdx_regs *r)
{
	if (r->r12 != 4 || r->r13 != 1 || r->r14 > 0xFFFF)
		fault(m, "an unknown access to a port");
	m->port = r->r14;
	m->port_value = r->r15;
	answer(r, TDVMCALL_SUCCESS, JUNK);
}

static void access_mmio(struct tdx_machine *m, struct tdx_regs *r)
{
	const bool write = r->r13 == 1;
	uint32_t value = UINT32_MAX;

	if (r->r12 != 4 || r->r13 > 1 || (r->r14 & S_BIT) == 0 || (!write && r->r15 != 0))
		fault(m, "an access to registers that are not shared");
	if (m->mmio != NULL)
		value = m->mmio(m, r->r14 & ~S_BIT, write, (uint32_t)r->r15);
	answer(r, TDVMCALL_SUCCESS, write ? JUNK : value | JUNK << 32);
}

/* What the host gets is what the mask exposes, and of that it may change everything. */
static void vmcall(struct tdx_machine *m, struct tdx_regs *r)
{
	const uint64_t function = r->r11;

	m->vmcalls++;
	if (r->r10 != 0)
		fault(m, "a call of no standard");
	if (function == TDVMCALL_REPORT_FATAL_ERROR) {
		if (r->rcx != 0x1C00)
			fault(m, "more is exposed than a stop needs");
		m->fatal = true;
		m->fatal_code = r->r12;
		return;
	}
	if (r->rcx != TDVMCALL_EXPOSED)
		fault(m, "more or less is exposed than the call needs");
	if (function == TDVMCALL_MAP_GPA)
		map_gpa(m, r);
	else if (function == TDVMCALL_IO)
		access_io(m, r);
	else if (function == TDVMCALL_MMIO)
		access_mmio(m, r);
	else
		fault(m, "an unknown sub-function");
	r->r12 = r->r13 = r->r14 = r->r15 = JUNK;
	if (m->host_lie != NULL)
		m->host_lie(m, function, r);
}

static uint64_t page_accept(struct tdx_machine *m, uint64_t rcx)
{
	const uint64_t level = rcx & 7, gpa = rcx & ~7ull, count = level == 1 ? 512 : 1;
	const uint64_t first = PAGE_OF(gpa);

	m->accepts++;
	if (level > 1 || gpa % (count * FW_PAGE) != 0 || first >= TDX_MACHINE_PAGES ||
	    count > TDX_MACHINE_PAGES - first) {
		fault(m, "a page that cannot be accepted");
		return 0xC000010000000001ull; /* TDX_OPERAND_INVALID, RCX */
	}
	if (level == 1 && m->small_backing)
		return TDX_PAGE_SIZE_MISMATCH | 1;
	for (uint64_t i = first; i < first + count; i++) {
		if (!m->is_private[i] && m->host_lie == NULL)
			fault(m, "a page was accepted that is not private");
		if (!m->is_private[i])
			return 0xC0000B0000000000ull; /* TDX_EPT_WALK_FAILED */
		if (m->accepted[i])
			return TDX_PAGE_ALREADY_ACCEPTED;
	}
	memset(&m->accepted[first], 1, count);
	/* The module clears them. Tests fill whole units, or nothing that needs clearing. */
	if (m->memory != NULL && m->memory[gpa] != 0)
		memset(m->memory + gpa, 0, count * FW_PAGE);
	return 0;
}

static uint64_t rtmr_extend(struct tdx_machine *m, uint64_t buffer, uint64_t index)
{
	uint8_t both[96];

	m->extends++;
	if (index > 3 || buffer % 64 != 0 || buffer < FW_SCRATCH || buffer >= FW_HASH_PAGE) {
		fault(m, "an RTMR or buffer that cannot be");
		return 0xC000010000000001ull;
	}
	if (m->memory == NULL)
		return 0;
	memcpy(both, m->rtmr[index], 48);
	memcpy(both + 48, m->memory + buffer, 48);
	fw_sha384(both, sizeof(both), m->rtmr[index]);
	return 0;
}

static uint64_t call(void *ctx, uint64_t leaf, struct tdx_regs *r)
{
	struct tdx_machine *m = ctx;
	const uint64_t rcx = r->rcx;
	uint64_t status = 0;

	if (leaf == TDG_VP_VMCALL) {
		vmcall(m, r);
		return 0;
	}
	if (leaf == TDG_VP_INFO)
		*r = (struct tdx_regs){ .rcx = m->gpaw, .rdx = m->attributes, .r12 = r->r12,
					.r13 = r->r13, .r14 = r->r14, .r15 = r->r15 };
	else if (leaf == TDG_MR_RTMR_EXTEND)
		status = rtmr_extend(m, r->rcx, r->rdx);
	else if (leaf == TDG_MEM_PAGE_ACCEPT)
		status = page_accept(m, r->rcx);
	else
		fault(m, "an unknown leaf");
	return m->module_lie == NULL ? status : m->module_lie(m, leaf, rcx, status);
}

void tdx_machine_init(struct tdx_machine *m)
{
	memset(m, 0, sizeof(*m));
	memset(m->is_private, 1, sizeof(m->is_private));
	m->attributes = TDX_ATTRIBUTE_SEPT_VE_DISABLE;
	m->gpaw = TDX_GPAW;
	m->ops = (struct tdx_ops){ m, call };
}

void tdx_machine_share(struct tdx_machine *m, uint64_t from, uint64_t to)
{
	memset(&m->is_private[PAGE_OF(from)], 0, PAGE_OF(to - from));
}
