/* What works: every leaf and call, with its answer. */
#include "tests/model/guests/lib/tdx.h"

#define FREE_PAGE 0x190000ull /* private, never added */
#define BLOCK     0x400000ull /* the same, 2 MiB */
#define TD_CTLS   0x1110000300000017ull

static _Alignas(64) uint8_t data[64];

static void info(void)
{
	struct td_regs r = { .rax = VP_INFO };

	tdcall(&r);
	put_value("gpaw", r.rcx);
	put_value("attributes", r.rdx);
	put_value("vcpus", r.r8 & 0xFFFFFFFF);
	put_value("index", r.r9);
	put_value("no ve", td_leaf(VEINFO_GET, 0, 0, 0));
	put_value("unknown leaf", td_leaf(99, 0, 0, 0));
	r = (struct td_regs){ .rax = VM_RD, .rdx = TD_CTLS };
	tdcall(&r);
	put_value("td ctls", r.r8);
	r = (struct td_regs){ .rax = VM_WR, .rdx = TD_CTLS, .r8 = 0, .r9 = 1 };
	tdcall(&r);
	put_value("ve back on", r.rax);
}

static void small_pages(void)
{
	put_value("accept", td_accept(FREE_PAGE, 0));
	*at(FREE_PAGE) = 0x1234;
	put_value("again", td_accept(FREE_PAGE, 0));
	put_value("read", *at(FREE_PAGE));
	put_value("launched", td_accept(FW_IMAGE, 0));
	put_value("shared operand", td_accept(FREE_PAGE | S_BIT, 0));
	put_value("bad level", td_accept(FREE_PAGE, 3));
	put_value("unaligned", td_accept(FREE_PAGE, 1));
}

static void large_pages(void)
{
	put_value("mismatch", td_accept(0, 1));
	put_value("large", td_accept(BLOCK, 1));
	*at(BLOCK + 0x1FF000) = 0x5678;
	put_value("large read", *at(BLOCK + 0x1FF000));
	put_value("large again", td_accept(BLOCK, 1));
	put_value("small in large", td_accept(BLOCK + 0x3000, 0));
	put_value("huge", td_accept(0, 2));
}

static void registers(void)
{
	put_value("extend", td_leaf(RTMR_EXTEND, (uint64_t)data, 2, 0));
	put_value("no such", td_leaf(RTMR_EXTEND, (uint64_t)data, 4, 0));
	put_value("bad data", td_leaf(RTMR_EXTEND, (uint64_t)data + 8, 2, 0));
	put_value("shared data", td_leaf(RTMR_EXTEND, (uint64_t)data | S_BIT, 2, 0));
}

static void page_states(void)
{
	uint64_t gpa = BLOCK + 0x10000, next = 0;

	put_value("to shared", td_vmcall(CALL_MAP_GPA, gpa | S_BIT, 0x1000, 0, 0, 0));
	put_value("was", *at(SHARED_VIEW + gpa));
	*at(SHARED_VIEW + gpa) = 0x77;
	put_value("shared read", *at(SHARED_VIEW + gpa));
	put_value("to private", td_vmcall(CALL_MAP_GPA, gpa, 0x1000, 0, 0, 0));
	put_value("accept again", td_accept(gpa, 0));
	put_value("contents", *at(gpa));
	put_value("chunks", td_vmcall(CALL_MAP_GPA, 0x600000 | S_BIT, 0x500000, 0, 0, 0));
	*at(SHARED_VIEW + 0xAFF000) = 0x99;
	put_value("last chunk", *at(SHARED_VIEW + 0xAFF000));
	put_value("outside", td_vmcall(CALL_MAP_GPA, 1ull << 40, 0x1000, 0, 0, &next));
	put_value("refused at", next);
	put_value("not aligned", td_vmcall(CALL_MAP_GPA, gpa + 8, 0x1000, 0, 0, 0));
	put_value("wrapping", td_vmcall(CALL_MAP_GPA, ~0xFFFull, 0x2000, 0, 0, 0));
	put_value("across", td_vmcall(CALL_MAP_GPA, S_BIT - 0x1000, 0x2000, 0, 0, 0));
	put_value("empty", td_vmcall(CALL_MAP_GPA, gpa, 0, 0, 0, 0));
}

static void host_calls(void)
{
	struct td_regs r = { .rax = VP_VMCALL, .rcx = 0xFC01 };
	uint64_t value = 0;

	tdcall(&r);
	put_value("bad mask", r.rax);
	r = (struct td_regs){ .rax = VP_VMCALL, .rcx = 0xFC00, .r10 = 5 };
	tdcall(&r);
	put_value("hypercall", r.r10);
	put_value("unknown call", td_vmcall(0x1234, 0, 0, 0, 0, 0));
	put_value("leaf 0", td_vmcall(CALL_INFO, 0, 0, 0, 0, 0));
	put_value("leaf 1", td_vmcall(CALL_INFO, 1, 0, 0, 0, &value));
	put_value("leaf 2", td_vmcall(CALL_INFO, 2, 0, 0, 0, 0));
	put_value("cpuid", td_vmcall(CALL_CPUID, 0, 0, 0, 0, 0));
	put_value("msr", td_vmcall(CALL_RDMSR, 0x1A0, 0, 0, 0, &value));
	put_value("msr value", value);
	put_value("no msr", td_vmcall(CALL_RDMSR, 0xC0000080, 0, 0, 0, 0));
	put_value("bad vector", td_vmcall(CALL_NOTIFY, 31, 0, 0, 0, 0));
}

static void devices(void)
{
	uint64_t value = 0;

	put_value("uart", td_vmcall(CALL_IO, 1, 0, UART_PORT + 5, 0, &value));
	put_value("uart status", value);
	put_value("bad size", td_vmcall(CALL_IO, 3, 0, UART_PORT, 0, 0));
	put_value("bad direction", td_vmcall(CALL_IO, 1, 2, UART_PORT, 0, 0));
	put_value("bad port", td_vmcall(CALL_IO, 1, 0, 0x10000, 0, 0));
	put_value("select", td_vmcall(CALL_MMIO, 4, 1, IOAPIC_BASE | S_BIT, 1, 0));
	put_value("window", td_vmcall(CALL_MMIO, 4, 0, (IOAPIC_BASE + 0x10) | S_BIT, 0, &value));
	put_value("ioapic version", value);
	put_value("private mmio", td_vmcall(CALL_MMIO, 4, 0, IOAPIC_BASE, 0, 0));
	put_value("mmio size", td_vmcall(CALL_MMIO, 3, 0, IOAPIC_BASE | S_BIT, 0, 0));
}

void guest_main(void)
{
	info();
	small_pages();
	large_pages();
	registers();
	page_states();
	host_calls();
	devices();
	power_off();
}
