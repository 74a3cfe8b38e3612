/* The calls of a trust domain and the taking of its memory against a host and a module that answer
 * with the fuzzer's bytes. Whatever they say: a bounded number of calls, no protocol mistake of
 * ours, and memory that counts as taken was accepted once and lies in the range.
 *
 * Input: two bytes of options, then for each answer a byte (0: honest; else the next bytes are
 * it). */
#include "firmware/accept_tdx.h"
#include "tests/unit/tdx_machine.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

#define GPAW_BITS 0x3Full /* of RCX after TDG.VP.INFO; the others mean nothing */

#define MIB    0x100000ull
#define FROM   (MIB + 0xF0000)
#define SHARED (6 * MIB)
#define TO     (12 * MIB)

static struct tdx_machine m;
static struct accept_tdx a;
static const uint8_t *input;
static size_t left;

static uint64_t take(unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && left > 0; i++, left--)
		v |= (uint64_t)*input++ << (8 * i);
	return v;
}

/* Every register that the mask exposes. */
static void host_lie(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	uint64_t what = take(1);

	(void)host;
	(void)function;
	if ((what & 1) != 0)
		r->r10 = take(1) | (what & 0x80) << 56;
	if ((what & 2) != 0)
		r->r11 = take(4) << (what >> 4 & 7) * 4;
	if ((what & 4) != 0)
		r->r12 = r->r13 = r->r14 = r->r15 = take(8);
}

static uint64_t module_lie(struct tdx_machine *host, uint64_t leaf, uint64_t rcx, uint64_t honest)
{
	(void)host;
	(void)leaf;
	(void)rcx;
	switch (take(1)) {
	case 1:
		return TDX_PAGE_SIZE_MISMATCH | take(1);
	case 2:
		return TDX_PAGE_ALREADY_ACCEPTED | take(1);
	case 3:
		return take(8);
	default:
		return honest;
	}
}

static enum fw_stop run(void)
{
	enum fw_stop status = tdx_check_domain(&m.ops);
	uint32_t value;

	if (status == STOP_HANDED_OVER) {
		REQUIRE((m.gpaw & GPAW_BITS) == TDX_GPAW);
		REQUIRE(m.attributes == TDX_ATTRIBUTE_SEPT_VE_DISABLE);
		status = accept_tdx_range(&a, FROM, SHARED);
	}
	if (status == STOP_HANDED_OVER)
		status = accept_tdx_shared(&a, SHARED, TO);
	if (status != STOP_HANDED_OVER)
		return status;
	tdvmcall_mmio_read(&m.ops, 0xFED40030, &value);
	tdvmcall_mmio_write(&m.ops, 0xFED40030, value);
	status = tdx_rtmr_extend(&m.ops, 1, FW_SCRATCH);
	return status == STOP_HANDED_OVER ? tdvmcall_port_write(&m.ops, 0x80, 0) : status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t none[TDX_MACHINE_PAGES];
	const uint64_t calls = 6 + TDVMCALL_STALLS + (TO - SHARED) / FW_PAGE;
	enum fw_stop status;

	tdx_machine_init(&m);
	tdx_machine_share(&m, SHARED, TO);
	memset(&a, 0, sizeof(a));
	a.ops = &m.ops;
	input = data;
	left = size;
	m.map_limit = take(1) * FW_PAGE;
	switch (take(1)) {
	case 1:
		m.small_backing = true;
		break;
	case 2:
		m.attributes = take(8);
		break;
	case 3:
		m.gpaw = take(1);
		break;
	default:
		break;
	}
	m.host_lie = host_lie;
	m.module_lie = module_lie;

	status = run();
	REQUIRE(m.fault == NULL);
	REQUIRE(m.vmcalls <= calls && m.accepts <= (TO - FROM) / FW_PAGE + TO / (2 * MIB));
	REQUIRE(memcmp(m.accepted, none, FROM / FW_PAGE) == 0);
	REQUIRE(memcmp(m.accepted + TO / FW_PAGE, none, TDX_MACHINE_PAGES - TO / FW_PAGE) == 0);
	REQUIRE(status != STOP_HANDED_OVER || (m.port == 0x80 && m.extends == 1));
	return 0;
}
