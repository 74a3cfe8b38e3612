/* TDCALLs and TDVMCALLs one by one: registers in, registers and exit out. The tiny trust domains
 * (tests/model/guests) show the same on a real processor; here is what they cannot: what the VMM
 * answers, a module that refuses, accesses that end the domain. */
#include "model/agent_ports.h"
#include "tests/model/td_bench.h"
#include "vmm/kvm/private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MASK 0xFC00ull /* R10 to R15 */
#define S MODEL_S_BIT
#define PENDING_PAGE 0x200000ull /* private, not accepted */
#define BAD(operand) (TDX_ST_OPERAND_INVALID | (operand))
#define INVALID UAPI_TDVMCALL_INVALID

static int call_of(uint64_t r11, uint64_t r12, uint64_t r13, uint64_t r14, uint64_t r15)
{
	const struct kvm_regs r = { .rax = 0, .rcx = MASK, .r11 = r11, .r12 = r12, .r13 = r13,
				    .r14 = r14, .r15 = r15, .rbx = 0xB, .rdx = 0xD };

	return td_call(&r, false);
}

static int leaf(uint64_t rax, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	const struct kvm_regs r = { .rax = rax, .rcx = rcx, .rdx = rdx, .r8 = r8 };

	return td_call(&r, false);
}

static int reached(void **unused)
{
	(void)unused;
	td_reach(TD_FINAL);
	model.exit_hypercall = true;
	return 0;
}

static int left(void **unused)
{
	(void)unused;
	td_leave();
	return 0;
}

static struct uapi_tdx_exit tdx_exit(void)
{
	struct uapi_tdx_exit x;

	memcpy(&x, (const uint8_t *)td_run() + UAPI_RUN_TDX_OFFSET, sizeof(x));
	return x;
}

static int answer_tdx(struct uapi_tdx_exit x)
{
	memcpy((uint8_t *)td_run() + UAPI_RUN_TDX_OFFSET, &x, sizeof(x));
	return td_again();
}

static void at_fault(int rc, uint64_t gpa, bool private)
{
	struct uapi_memory_fault f;

	assert_int_equal(rc, -EFAULT);
	assert_int_equal(td_run()->exit_reason, UAPI_EXIT_MEMORY_FAULT);
	memcpy(&f, (const uint8_t *)td_run() + UAPI_RUN_MEMORY_FAULT_OFFSET, sizeof(f));
	assert_int_equal(f.gpa, gpa);
	assert_int_equal(f.size, 4096);
	assert_int_equal(f.flags, private ? UAPI_FAULT_PRIVATE : 0);
}

/* ---- leaves --------------------------------------------------------------------------------- */

static void leaves(void **unused)
{
	static const struct {
		uint64_t rax, rcx, rdx, r8, status;
	} row[] = {
		{ 1, 0, 0, 0, 0 },
		{ 2, FW_IMAGE, 0, 0, 0 },
		{ 2, FW_IMAGE, 3, 0, 0 },
		{ 2, FW_IMAGE, 4, 0, BAD(TDX_OP_RDX) },
		{ 2, FW_IMAGE + 32, 0, 0, BAD(TDX_OP_RCX) },
		{ 2, FW_IMAGE | S, 0, 0, BAD(TDX_OP_RCX) },
		{ 3, 0, 0, 0, TDX_ST_NO_VE_INFO },
		{ 4, FW_IMAGE, FW_IMAGE, 0, 0 },
		{ 4, FW_IMAGE, FW_IMAGE, 1, BAD(TDX_OP_R8) },
		{ 4, FW_IMAGE + 512, FW_IMAGE, 0, BAD(TDX_OP_RCX) },
		{ 4, FW_IMAGE, FW_IMAGE + 32, 0, BAD(TDX_OP_RDX) },
		{ 5, 0, 0, 0, BAD(0) },
		{ 6, FW_IMAGE, 0, 0, TDX_ST_ALREADY_ACCEPTED },
		{ 6, FW_IMAGE | 8, 0, 0, BAD(TDX_OP_RCX) },
		{ 6, 1ull << 48, 0, 0, BAD(TDX_OP_RCX) },
		{ 7, 0, 0x1110000300000016, 0, 0 },
		{ 7, 0, 1, 0, TDX_ST_FIELD_ID | TDX_OP_RDX },
		{ 8, 0, 0x1110000300000016, 0, TDX_ST_FIELD_NOT_WRITABLE | TDX_OP_RDX },
		{ 8, 0, 1, 0, TDX_ST_FIELD_ID | TDX_OP_RDX },
		{ 1ull << 16 | 1, 0, 0, 0, BAD(0) },
		{ 12, 0, 0, 0, BAD(0) },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (leaf(row[i].rax, row[i].rcx, row[i].rdx, row[i].r8) != 0 ||
		    td_after.rax != row[i].status)
			fail_msg("row %zu: %#llx", i, (unsigned long long)td_after.rax);
		assert_int_equal(td_run()->exit_reason, KVM_EXIT_HLT);
	}
}

static void info(void **unused)
{
	(void)unused;
	assert_int_equal(leaf(1, 0, 0, 0), 0);
	assert_int_equal(td_after.rcx, TDX_GPAW);
	assert_int_equal(td_after.rdx, TD_ATTRIBUTES);
	assert_int_equal(td_after.r8, 1 | (uint64_t)TD_CPUS_MAX << 32);
	assert_int_equal(td_after.r9, 0);
}

static void module_refuses(void **unused)
{
	const uint8_t *report = model_page(FW_IMAGE, true);

	(void)unused;
	td_module_says(TDX_RTMR_EXTEND, BAD(TDX_OP_RDX));
	assert_int_equal(leaf(2, FW_IMAGE, 0, 0), 0);
	assert_int_equal(td_after.rax, BAD(TDX_OP_RDX));
	td_module_says(TDX_MR_REPORT, TDX_ST_OPERAND_BUSY);
	assert_int_equal(leaf(4, FW_IMAGE + 0x400, FW_IMAGE, 0), 0);
	assert_int_equal(td_after.rax, TDX_ST_OPERAND_BUSY);
	assert_int_equal(report[0x400], 0);
	td_module_says(0, 0);
	assert_int_equal(leaf(4, FW_IMAGE + 0x400, FW_IMAGE, 0), 0);
	assert_int_equal(report[0x400], 0xD0);
	assert_int_equal(report[0x7FF], 0xD0);
	assert_int_equal(report[0x800], 0);
	td_module_dies();
	assert_int_equal(leaf(4, FW_IMAGE + 0x400, FW_IMAGE, 0), 0);
	assert_int_equal(td_run()->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	assert_int_equal(td_run()->internal.suberror, MODEL_STOP_FAULT);
}

/* An operand that cannot be reached is no error of the call. */
static void operands(void **unused)
{
	(void)unused;
	at_fault(leaf(2, FW_BOOT_BLOCK, 0, 0), FW_BOOT_BLOCK, true);
	assert_int_equal(private_set_attributes(TD_VM_FD, FW_BOOT_BLOCK, 4096,
						UAPI_ATTRIBUTE_PRIVATE), 0);
	/* The VMM made it private: the call runs again, and the page is not accepted. */
	assert_int_equal(td_again(), -EIO);
	assert_true(model.dead);
	assert_int_equal(td_again(), -EIO);
}

static void acceptance(void **unused)
{
	(void)unused;
	at_fault(leaf(6, FW_BOOT_BLOCK, 0, 0), FW_BOOT_BLOCK, true);
	assert_int_equal(private_set_attributes(TD_VM_FD, FW_BOOT_BLOCK, 4096,
						UAPI_ATTRIBUTE_PRIVATE), 0);
	assert_int_equal(td_again(), 0);
	assert_int_equal(td_after.rax, 0);
	assert_non_null(model_page(FW_BOOT_BLOCK, true));
	at_fault(leaf(6, 1ull << 40, 0, 0), 1ull << 40, true);
	assert_int_equal(td_exit(NULL), -EFAULT); /* and again, as long as there is nothing */
}

/* What was accepted and goes shared is empty and not accepted when it comes back. */
static void conversion(void **unused)
{
	(void)unused;
	assert_int_equal(leaf(6, PENDING_PAGE, 0, 0), 0);
	memset(model_page(PENDING_PAGE, true), 0x55, 4096);
	assert_int_equal(private_set_attributes(TD_VM_FD, PENDING_PAGE, 4096, 0), 0);
	assert_null(model_page(PENDING_PAGE, true));
	assert_non_null(model_page(PENDING_PAGE, false));
	assert_int_equal(private_set_attributes(TD_VM_FD, PENDING_PAGE, 4096,
						UAPI_ATTRIBUTE_PRIVATE), 0);
	assert_null(model_page(PENDING_PAGE, true));
	assert_int_equal(leaf(6, PENDING_PAGE, 0, 0), 0);
	assert_int_equal(td_after.rax, 0);
	assert_int_equal(*model_page(PENDING_PAGE, true), 0);
}

/* ---- accesses ------------------------------------------------------------------------------- */

static uint64_t touched;

static void access_memory(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = touched;
	run->mmio.len = 4;
}

static int touch(uint64_t address)
{
	touched = address;
	return td_exit(access_memory);
}

static void direct_port(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = 1;
	run->io.port = UART_PORT;
	run->io.count = 1;
	run->io.data_offset = 4096;
}

static void accesses(void **unused)
{
	(void)unused;
	at_fault(touch(FW_BOOT_BLOCK + 8), FW_BOOT_BLOCK, true);
	at_fault(touch((FW_IMAGE + 8) | S), FW_IMAGE, false);
	at_fault(touch(0xC0000010), 0xC0000000, true);
	assert_int_equal(touch(PENDING_PAGE), -EIO);
	assert_true(model.dead);
	td_leave();
	(void)reached(NULL);
	assert_int_equal(touch(0xC0000010 | S), 0);
	assert_int_equal(td_run()->internal.suberror, MODEL_STOP_DIRECT_IO);
	td_leave();
	(void)reached(NULL);
	assert_int_equal(td_exit(direct_port), 0);
	assert_int_equal(td_run()->internal.suberror, MODEL_STOP_DIRECT_IO);
}

/* ---- TDVMCALL ------------------------------------------------------------------------------- */

/* Answered in the kernel: R10. */
static void in_kernel(void **unused)
{
	static const struct {
		uint64_t r11, r12, r13, r14, status;
	} row[] = {
		{ 0x10000, 0, 0, 0, 0 },
		{ 0x10000, 2, 0, 0, INVALID },
		{ 0x10001, 0, 0, 0, INVALID },
		{ 0x10001, UINT64_MAX - 4095, 8192, 0, INVALID },
		{ 0x10001, 1ull << 48, 4096, 0, INVALID },
		{ 0x10001, S - 4096, 8192, 0, INVALID },
		{ 0x10001, FW_IMAGE + 1, 4096, 0, 0x8000000000000002 },
		{ 0x10001, FW_IMAGE, 4095, 0, 0x8000000000000002 },
		{ 0x10002, 0x300000, 4096, 0, INVALID }, /* not a shared address */
		{ 0x10002, 1ull << 48 | S, 4096, 0, INVALID },
		{ 0x10004, 31, 0, 0, INVALID },
		{ 0x10004, 256, 0, 0, INVALID },
		{ 0x10005, 0, 0, 0, UAPI_TDVMCALL_UNSUPPORTED },
		{ 10, 1, 0, 0, 0 },
		{ 30, 3, 0, 0x80, INVALID },
		{ 30, 8, 0, 0x80, INVALID },
		{ 30, 4, 2, 0x80, INVALID },
		{ 30, 4, 0, 0x10000, INVALID },
		{ 31, 0x1B, 0, 0, 0 },
		{ 31, 0xC0000080, 0, 0, INVALID },
		{ 32, 0x1B, 0, 0, INVALID },
		{ 48, 16, 0, 0xFEC00000 | S, INVALID },
		{ 48, 4, 0, 0xFEC00000, INVALID },
		{ 48, 8, 0, S - 4, INVALID },
		{ 49, 0, 0, 0, UAPI_TDVMCALL_UNSUPPORTED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int rc = call_of(row[i].r11, row[i].r12, row[i].r13, row[i].r14, 0);

		if (rc != 0 || td_run()->exit_reason != KVM_EXIT_HLT || td_after.rax != 0 ||
		    td_after.r10 != row[i].status)
			fail_msg("row %zu: %d, exit %u, R10 %#llx", i, rc, td_run()->exit_reason,
				 (unsigned long long)td_after.r10);
		assert_int_equal(td_after.rbx, 0xB); /* not in the mask */
	}
}

static void mask(void **unused)
{
	static const uint64_t bad[] = { 1, 2, 0x10, 1ull << 32, UINT64_MAX };
	struct kvm_regs r = { .rcx = 0, .r10 = 9, .r11 = 0x10000, .r12 = 7 };

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r.rcx = bad[i];
		assert_int_equal(td_call(&r, false), 0);
		assert_int_equal(td_after.rax, BAD(TDX_OP_RCX));
	}
	/* Nothing is shown: an unknown call, and its answer does not come through. */
	r.rcx = 0;
	assert_int_equal(td_call(&r, false), 0);
	assert_int_equal(td_after.rax, 0);
	assert_int_equal(td_after.r10, 9);
	/* R12 is not shown: it counts as zero. */
	r = (struct kvm_regs){ .rcx = 0xC00, .r11 = 0x10000, .r12 = 7 };
	assert_int_equal(td_call(&r, false), 0);
	assert_int_equal(td_after.r10, 0);
	assert_int_equal(td_after.r12, 7);
	r = (struct kvm_regs){ .rcx = 0xC00, .r10 = 1 };
	assert_int_equal(td_call(&r, false), 0);
	assert_int_equal((int64_t)td_after.r10, -ENOSYS);
}

static void check_map(uint64_t gpa, uint64_t pages, bool private)
{
	const struct kvm_run *run = td_run();

	assert_int_equal(run->exit_reason, KVM_EXIT_HYPERCALL);
	assert_int_equal(run->hypercall.nr, UAPI_HC_MAP_GPA_RANGE);
	assert_int_equal(run->hypercall.args[0], gpa);
	assert_int_equal(run->hypercall.args[1], pages);
	assert_int_equal(run->hypercall.args[2], private ? UAPI_MAP_GPA_PRIVATE : 0);
	assert_int_equal(run->hypercall.ret, 0);
}

static void map_gpa(void **unused)
{
	(void)unused;
	assert_int_equal(call_of(0x10001, 0x200000 | S, 0x401000, 0, 0), 0);
	check_map(0x200000, 512, false);
	assert_int_equal(td_again(), 0);
	check_map(0x400000, 512, false);
	assert_int_equal(td_again(), 0);
	check_map(0x600000, 1, false);
	assert_int_equal(td_again(), 0);
	assert_int_equal(td_run()->exit_reason, KVM_EXIT_HLT);
	assert_int_equal(td_after.r10, 0);
	/* The VMM refuses the second chunk. */
	assert_int_equal(call_of(0x10001, 0x200000, 0x401000, 0, 0), 0);
	check_map(0x200000, 512, true);
	assert_int_equal(td_again(), 0);
	td_run()->hypercall.ret = EINVAL;
	assert_int_equal(td_again(), 0);
	assert_int_equal(td_after.r10, INVALID);
	assert_int_equal(td_after.r11, 0x400000);
	/* A signal comes after the first. */
	assert_int_equal(call_of(0x10001, 0x200000 | S, 0x401000, 0, 0), 0);
	td_run()->immediate_exit = 1;
	assert_int_equal(td_again(), 0);
	assert_int_equal(td_after.r10, UAPI_TDVMCALL_RETRY);
	assert_int_equal(td_after.r11, 0x400000 | S);
	td_run()->immediate_exit = 0;
	model.exit_hypercall = false;
	assert_int_equal(call_of(0x10001, 0x200000 | S, 4096, 0, 0), 0);
	assert_int_equal(td_after.r10, UAPI_TDVMCALL_UNSUPPORTED);
	model.exit_hypercall = true;
	/* KVM knows no address beyond what CPUID tells the guest: all of these fail, silently. */
	model.vcpu[0].td.address_bits = 46;
	assert_int_equal(call_of(0x10001, 0x200000 | S, 4096, 0, 0), 0);
	assert_int_equal(td_after.r10, INVALID);
}

static void to_the_vmm(void **unused)
{
	struct uapi_tdx_exit x;

	(void)unused;
	assert_int_equal(call_of(0x10002, 0x300000 | S, 0x123, 0, 0), 0);
	x = tdx_exit();
	assert_int_equal(td_run()->exit_reason, UAPI_EXIT_TDX);
	assert_int_equal(x.nr, UAPI_TDVMCALL_GET_QUOTE);
	assert_int_equal(x.ret, UAPI_TDVMCALL_UNSUPPORTED);
	assert_int_equal(x.quote.gpa, 0x300000);
	assert_int_equal(x.quote.size, 0x123);
	x.ret = UAPI_TDVMCALL_RETRY;
	assert_int_equal(answer_tdx(x), 0);
	assert_int_equal(td_after.r10, UAPI_TDVMCALL_RETRY);

	assert_int_equal(call_of(0x10004, 255, 0, 0, 0), 0);
	assert_int_equal(tdx_exit().notify.vector, 255);
	assert_int_equal(td_again(), 0);
	assert_int_equal(td_after.r10, UAPI_TDVMCALL_UNSUPPORTED); /* nobody answered */

	assert_int_equal(call_of(0x10000, 1, 0, 0, 0), 0);
	x = tdx_exit();
	assert_int_equal(x.nr, UAPI_TDVMCALL_INFO);
	assert_int_equal(x.info.leaf, 1);
	x.ret = 0;
	x.info.r11 = 2;
	x.info.r14 = 14;
	assert_int_equal(answer_tdx(x), 0);
	assert_int_equal(td_after.r10, 0);
	assert_int_equal(td_after.r11, 2);
	assert_int_equal(td_after.r14, 14);
}

static void devices(void **unused)
{
	struct kvm_run *run;

	(void)unused;
	assert_int_equal(call_of(30, 2, 1, 0x3F8, 0xABCD1234), 0);
	run = td_run();
	assert_int_equal(run->exit_reason, KVM_EXIT_IO);
	assert_int_equal(run->io.direction, KVM_EXIT_IO_OUT);
	assert_int_equal(run->io.size, 2);
	assert_int_equal(run->io.port, 0x3F8);
	assert_memory_equal((const uint8_t *)run + run->io.data_offset, "\x34\x12", 2);
	assert_int_equal(td_again(), 0);
	assert_int_equal(td_after.r10, 0);

	assert_int_equal(call_of(30, 4, 0, 0x60, 0), 0);
	assert_int_equal(run->io.direction, KVM_EXIT_IO_IN);
	memcpy((uint8_t *)run + run->io.data_offset, "\x01\x02\x03\x04\x05", 5);
	assert_int_equal(td_again(), 0);
	assert_int_equal(td_after.r11, 0x04030201);

	assert_int_equal(call_of(48, 8, 1, 0xFED40000 | S, 0x1122334455667788), 0);
	assert_int_equal(run->exit_reason, KVM_EXIT_MMIO);
	assert_int_equal(run->mmio.phys_addr, 0xFED40000);
	assert_int_equal(run->mmio.len, 8);
	assert_int_equal(run->mmio.is_write, 1);
	assert_memory_equal(run->mmio.data, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	assert_int_equal(td_again(), 0);

	assert_int_equal(call_of(48, 2, 0, 0xFED40000 | S, 0), 0);
	memcpy(run->mmio.data, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	assert_int_equal(td_again(), 0);
	assert_int_equal(td_after.r10, 0);
	assert_int_equal(td_after.r11, 0x0201);
}

static void fatal(void **unused)
{
	const struct kvm_regs r = { .rcx = 0xFFCC, .r11 = 0x10003, .r12 = 0x505600A4, .rdx = 2,
				    .rbx = 3, .rsi = 6, .rdi = 7, .r8 = 8, .r9 = 9, .r13 = 13,
				    .r14 = 14, .r15 = 15, .rbp = 5, .rsp = 4 };
	static const uint64_t expected[16] = { 0, 0xFFCC, 2, 3, 0, 0, 6, 7, 8, 9, 0, 0x10003,
					       0x505600A4, 13, 14, 15 };
	const struct kvm_run *run;

	(void)unused;
	assert_int_equal(td_call(&r, false), 0);
	run = td_run();
	assert_int_equal(run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	assert_int_equal(run->system_event.type, UAPI_SYSTEM_EVENT_TDX_FATAL);
	assert_int_equal(run->system_event.ndata, 16);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(run->system_event.data[i], expected[i]);
}

static void sleeps(void **unused)
{
	struct model_vcpu *v = &model.vcpu[0];

	(void)unused;
	assert_int_equal(call_of(12, 0, 0, 0, 0), -EINTR);
	assert_int_equal(td_again(), -EINTR);
	assert_int_equal(v->pending, PENDING_HALT);
}

/* ---- the fold ------------------------------------------------------------------------------- */

static void fold(void **unused)
{
	const struct kvm_regs r = { .rax = 1 };

	(void)unused;
	assert_int_equal(leaf(6, PENDING_PAGE, 0, 0), 0);
	memset(model_page(PENDING_PAGE, true), 0x77, 4096);
	memset(td_ram + PENDING_PAGE, 0x11, 8192);
	assert_int_equal(td_call(&r, true), 0);
	assert_true(model.folded);
	assert_int_equal(td_ram[PENDING_PAGE], 0x77);
	assert_int_equal(td_ram[PENDING_PAGE + 4096], 0x11); /* was not accepted */
	assert_int_equal(td_exit(direct_port), 0);
	assert_int_equal(td_run()->exit_reason, KVM_EXIT_IO); /* the VMM's own matter now */
	assert_int_equal(private_set_attributes(TD_VM_FD, PENDING_PAGE, 4096, 0), 0);
	assert_int_equal(td_ram[PENDING_PAGE], 0x77);
}

/* ---- the agent's ports ---------------------------------------------------------------------- */

#define BUFFER 0x1D0000ull

static uint16_t port;
static uint32_t word;

static void write_word(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = 4;
	run->io.port = port;
	run->io.count = 1;
	run->io.data_offset = 4096;
	memcpy((uint8_t *)run + 4096, &word, sizeof(word));
}

static void read_word(struct kvm_run *run)
{
	write_word(run);
	run->io.direction = KVM_EXIT_IO_IN;
}

static void out(uint16_t where, uint32_t value)
{
	port = where;
	word = value;
	assert_int_equal(td_exit(write_word), 0);
}

static uint32_t in(uint16_t where)
{
	uint32_t value;

	port = where;
	assert_int_equal(td_exit(read_word), 0);
	assert_int_equal(td_run()->exit_reason, KVM_EXIT_HLT); /* the VMM saw nothing */
	memcpy(&value, (const uint8_t *)td_run() + 4096, sizeof(value));
	return value;
}

static void submit(void)
{
	out(AGENT_PORT_COMMAND, AGENT_PORT_BEGIN);
	out(AGENT_PORT_DATA, sizeof(struct tdx_quote_request));
	for (unsigned i = 0; i < sizeof(struct tdx_quote_request) / 4; i++)
		out(AGENT_PORT_DATA, i);
	out(AGENT_PORT_COMMAND, AGENT_PORT_SUBMIT);
}

/* Up to the guest's next instruction, with what the VMM answers to both exits. */
static void ask(uint64_t share, uint64_t quote)
{
	struct uapi_tdx_exit x;

	submit();
	check_map(BUFFER, 5, false);
	td_run()->hypercall.ret = share;
	assert_int_equal(td_again(), 0);
	if (share != 0)
		return;
	x = tdx_exit();
	assert_int_equal(td_run()->exit_reason, UAPI_EXIT_TDX);
	assert_int_equal(x.quote.gpa, BUFFER);
	assert_int_equal(x.quote.size, 0x5000);
	x.ret = quote;
	assert_int_equal(answer_tdx(x), 0);
	assert_int_equal(td_run()->exit_reason, KVM_EXIT_HLT);
}

static void put_status(uint64_t status, uint32_t size)
{
	memcpy(td_ram + BUFFER + 20, &size, sizeof(size));
	memcpy(td_ram + BUFFER + 8, &status, sizeof(status));
}

static void no_quote(uint32_t status)
{
	assert_int_equal(in(AGENT_PORT_COMMAND), AGENT_PORT_READY);
	assert_int_equal(in(AGENT_PORT_DATA), sizeof(struct tdx_quote_answer));
	assert_int_equal(in(AGENT_PORT_DATA), status);
	assert_int_equal(in(AGENT_PORT_DATA), 0);
}

static void agent(void **unused)
{
	const struct kvm_regs last = { .rax = 1 };

	(void)unused;
	assert_int_equal(td_call(&last, true), 0);
	ask(0, 0);
	/* What Linux's driver would have put there: a report of 1024 bytes. */
	assert_memory_equal(td_ram + BUFFER, "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0", 20);
	assert_int_equal(td_ram[BUFFER + 24 + 1023], 0xD0);
	assert_int_equal(td_ram[BUFFER + 24 + 1024], 0);
	put_status(UINT64_MAX, 0);
	assert_int_equal(in(AGENT_PORT_COMMAND), AGENT_PORT_IDLE);
	memset(td_ram + BUFFER + 24, 0xAB, 8);
	put_status(0, 6);
	assert_int_equal(in(AGENT_PORT_COMMAND), AGENT_PORT_READY);
	assert_int_equal(in(AGENT_PORT_DATA), sizeof(struct tdx_quote_answer) + 6);
	assert_int_equal(in(AGENT_PORT_DATA), 0);
	assert_int_equal(in(AGENT_PORT_DATA), 6);
	assert_int_equal(in(AGENT_PORT_DATA), 0xABABABAB);
	assert_int_equal(in(AGENT_PORT_DATA), 0xABAB);
	assert_int_equal(in(AGENT_PORT_DATA), 0);
}

static void agent_refused(void **unused)
{
	const struct kvm_regs last = { .rax = 1 };

	(void)unused;
	assert_int_equal(td_call(&last, true), 0);
	ask(EINVAL, 0);
	no_quote(0x80000000);
	ask(0, UAPI_TDVMCALL_RETRY);
	no_quote(1);
	ask(0, UAPI_TDVMCALL_UNSUPPORTED);
	no_quote(0x80000003);
	ask(0, 0);
	put_status(0x8000000000000001, 0);
	no_quote(0x80000001);
	ask(0, 0);
	put_status(0, 0x5000 - 24 + 1);
	assert_int_equal(in(AGENT_PORT_COMMAND), AGENT_PORT_ERROR);
	ask(0, 0);
	put_status(0, 0);
	assert_int_equal(in(AGENT_PORT_COMMAND), AGENT_PORT_ERROR);
	td_module_says(TDX_MR_REPORT, TDX_ST_OPERAND_BUSY);
	submit();
	assert_int_equal(td_run()->exit_reason, KVM_EXIT_HLT);
	no_quote(0x80000000);
	out(AGENT_PORT_COMMAND, AGENT_PORT_IDENTIFY);
	assert_int_equal(in(AGENT_PORT_DATA), 4);
	assert_int_equal(in(AGENT_PORT_DATA), PLAN_TEE_TDX);
}

static void image_is_checked(void **unused)
{
	uint64_t hw;

	(void)unused;
	td_reach(TD_ADDED);
	model_page(FW_IMAGE, true)[0x200] = 0x67; /* another instruction */
	assert_int_equal(tdx_finalize_vm(TD_VM_FD, &hw), -EIO);
	td_leave();
	td_reach(TD_ADDED);
	model_page(FW_IMAGE, true)[8] = FW_VARIANT_SNP;
	assert_int_equal(tdx_finalize_vm(TD_VM_FD, &hw), -EIO);
	td_leave();
}

#define RUNNING(f) cmocka_unit_test_setup_teardown(f, reached, left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUNNING(leaves),     RUNNING(info),       RUNNING(module_refuses),
		RUNNING(operands),   RUNNING(acceptance), RUNNING(conversion),
		RUNNING(accesses),   RUNNING(in_kernel),  RUNNING(mask),
		RUNNING(map_gpa),    RUNNING(to_the_vmm), RUNNING(devices),
		RUNNING(fatal),      RUNNING(sleeps),     RUNNING(fold),
		RUNNING(agent),      RUNNING(agent_refused),
		cmocka_unit_test(image_is_checked),
	};

	return cmocka_run_group_tests_name("model_tdcall", tests, NULL, NULL);
}
