/* The launch of a trust domain, every command in every state: errno, completion status of the
 * module, and how many commands reached it. */
#include "model/real.h"
#include "tests/model/td_bench.h"
#include "vmm/kvm/private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NO_HW 0ull

#define EXPECT(step, call, rc, status, sent) do { \
	uint64_t hw = 0x5A5A; \
	td_reach(step); \
	int got = (call); \
	unsigned seen = td_module_calls(); \
	if (got != (rc) || hw != (status) || seen != (sent)) \
		fail_msg("%s in state %d: %d, module %#llx, %u commands", #call, step, got, \
			 (unsigned long long)hw, seen); \
	td_leave(); \
} while (0)

static int capabilities(uint32_t room, uint64_t *hw)
{
	struct tdx_capabilities c = { .head = { .nent = room } };
	int rc = tdx_capabilities(TD_VM_FD, &c, hw);

	if (rc < 0) {
		assert_int_equal(c.head.nent, room); /* KVM does not tell how many it has */
		return rc;
	}
	assert_int_equal(c.head.supported_attributes, TD_ATTRIBUTES);
	assert_int_equal(c.head.supported_xfam & 3, 3);
	assert_true(c.head.nent > 1 && c.head.nent <= room);
	for (uint32_t i = 0; i < c.head.nent; i++)
		if (c.cpuid[i].function == 7 && c.cpuid[i].index == 0)
			assert_int_equal((c.cpuid[i].ebx & 0x810) | (c.cpuid[i].ecx & 0x20), 0);
	return 0;
}

static void capabilities_row(void **unused)
{
	(void)unused;
	EXPECT(TD_CREATED, capabilities(256, &hw), 0, NO_HW, 0);
	EXPECT(TD_FINAL, capabilities(256, &hw), 0, NO_HW, 0);
	EXPECT(TD_CREATED, capabilities(12, &hw), 0, NO_HW, 0);
	EXPECT(TD_CREATED, capabilities(11, &hw), -E2BIG, NO_HW, 0);
	EXPECT(TD_CREATED, capabilities(0, &hw), -E2BIG, NO_HW, 0);
}

/* ---- INIT_VM -------------------------------------------------------------------------------- */

static int init_vm(uint64_t *hw)
{
	struct tdx_init_vm init = td_init_vm();

	return tdx_init_vm(TD_VM_FD, &init, hw);
}

static int init_with(size_t offset, uint64_t value, uint64_t *hw)
{
	struct tdx_init_vm init = td_init_vm();

	memcpy((uint8_t *)&init + offset, &value, sizeof(value));
	return tdx_init_vm(TD_VM_FD, &init, hw);
}

#define HEAD(field) offsetof(struct uapi_tdx_init_vm, field)

static int init_attributes(uint64_t value, uint64_t *hw)
{
	return init_with(HEAD(attributes), value, hw);
}

static int init_xfam(uint64_t value, uint64_t *hw)
{
	return init_with(HEAD(xfam), value, hw);
}

static int init_cpuid(struct kvm_cpuid_entry2 address, struct kvm_cpuid_entry2 other, uint64_t *hw)
{
	struct tdx_init_vm init = td_init_vm();

	init.cpuid[0] = address;
	init.cpuid[1] = other;
	init.head.nent = 2;
	return tdx_init_vm(TD_VM_FD, &init, hw);
}

static int init_tsc(uint64_t khz, uint64_t *hw)
{
	assert_int_equal(tdx_set_tsc_khz(TD_VM_FD, khz), 0);
	return init_vm(hw);
}

static int init_after_vcpu(uint64_t *hw)
{
	int rc;

	model.vcpu_count = 1;
	rc = init_vm(hw);
	model.vcpu_count = 0;
	return rc;
}

static void init_states(void **unused)
{
	(void)unused;
	EXPECT(TD_CREATED, init_vm(&hw), 0, NO_HW, 1);
	EXPECT(TD_IRQCHIP, init_vm(&hw), 0, NO_HW, 1);
	for (enum td_step s = TD_INITED; s <= TD_FINAL; s++)
		EXPECT(s, init_vm(&hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_after_vcpu(&hw), -EBUSY, NO_HW, 0);
}

static void init_arguments(void **unused)
{
	(void)unused;
	EXPECT(TD_CREATED, init_with(HEAD(nent), 257, &hw), -E2BIG, NO_HW, 0);
	EXPECT(TD_CREATED, init_with(HEAD(nent), 1ull << 32 | 1, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_with(HEAD(reserved) + 88, 1, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_with(HEAD(nent), 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_attributes(1, &hw), -EINVAL, NO_HW, 0);          /* DEBUG */
	EXPECT(TD_CREATED, init_attributes(3ull << 28, &hw), -EINVAL, NO_HW, 0); /* MIGRATABLE */
	EXPECT(TD_CREATED, init_attributes(1ull << 63, &hw), -EINVAL, NO_HW, 0); /* PERFMON */
	EXPECT(TD_CREATED, init_attributes(0, &hw), 0, NO_HW, 1);
	EXPECT(TD_CREATED, init_xfam(0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_xfam(0xE6, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_xfam(1ull << 40 | 3, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_xfam(3, &hw), 0, NO_HW, 1);
}

#define REFUSED(operand) (TDX_ST_OPERAND_INVALID | (operand))

static void init_module(void **unused)
{
	static const uint64_t bad_xfam[] = { 0xE3, 0x27, 0x67, 0x803, 0x1003, 0x20003, 0x40003 };

	(void)unused;
	for (size_t i = 0; i < sizeof(bad_xfam) / sizeof(bad_xfam[0]); i++)
		EXPECT(TD_CREATED, init_xfam(bad_xfam[i], &hw), -EINVAL, REFUSED(TDX_OP_XFAM), 0);
	EXPECT(TD_CREATED, init_tsc(100000, &hw), 0, NO_HW, 1);
	EXPECT(TD_CREATED, init_tsc(10000000, &hw), 0, NO_HW, 1);
	EXPECT(TD_CREATED, init_tsc(99999, &hw), -EINVAL, REFUSED(TDX_OP_TSC), 0);
	EXPECT(TD_CREATED, init_tsc(10025000, &hw), -EINVAL, REFUSED(TDX_OP_TSC), 0);
	EXPECT(TD_CREATED, (td_module_says(TDX_MNG_INIT, TDX_ST_NO_ENTROPY), init_vm(&hw)),
	       -EAGAIN, TDX_ST_NO_ENTROPY, 1);
	EXPECT(TD_CREATED, (td_module_says(TDX_MNG_INIT, REFUSED(TDX_OP_ATTRIBUTES)), init_vm(&hw)),
	       -EINVAL, REFUSED(TDX_OP_ATTRIBUTES), 1);
	EXPECT(TD_CREATED, (td_module_says(TDX_MNG_INIT, TDX_ST_OPERAND_BUSY), init_vm(&hw)),
	       -EBUSY, TDX_ST_OPERAND_BUSY, 1);
	EXPECT(TD_CREATED, (td_module_says(TDX_MNG_INIT, TDX_ST_OP_STATE), init_vm(&hw)),
	       -EIO, TDX_ST_OP_STATE, 1);
	/* And what did not succeed may be tried again. */
	EXPECT(TD_CREATED, (td_module_says(TDX_MNG_INIT, TDX_ST_NO_ENTROPY), init_vm(&hw),
			    td_module_says(0, 0), init_vm(&hw)), 0, NO_HW, 2);
	EXPECT(TD_CREATED, (td_module_dies(), init_vm(&hw)), -EIO, TDX_ST_SYS_SHUTDOWN, 0);
}

static void init_cpuid_table(void **unused)
{
	const struct kvm_cpuid_entry2 address = { .function = 0x80000008, .eax = 48u << 16 | 48 };
	const struct kvm_cpuid_entry2 wide = { .function = 0x80000008, .eax = 52u << 16 | 52 };
	const struct kvm_cpuid_entry2 none = { .function = 0x80000008, .eax = 48 };
	const struct kvm_cpuid_entry2 other = { .function = 0x80000008, .eax = 48u << 16,
						.ecx = 0x3000 };
	const struct kvm_cpuid_entry2 leaf1 = { .function = 1, .eax = 0x806F8 };
	const struct kvm_cpuid_entry2 leaf1_bad = { .function = 1, .ecx = 1u << 31 };
	const struct kvm_cpuid_entry2 leaf0 = { .function = 0, .eax = 0xD };
	const struct kvm_cpuid_entry2 cache9 = { .function = 4, .index = 9, .flags = 1 };
	const struct kvm_cpuid_entry2 rtm = { .function = 7, .flags = 1, .ebx = 1u << 11 };
	const struct kvm_cpuid_entry2 waitpkg = { .function = 7, .flags = 1, .ecx = 1u << 5 };

	(void)unused;
	EXPECT(TD_CREATED, init_cpuid(address, leaf1, &hw), 0, NO_HW, 1);
	EXPECT(TD_CREATED, init_cpuid(leaf1, leaf1, &hw), -EINVAL, NO_HW, 0); /* no GPAW */
	EXPECT(TD_CREATED, init_cpuid(wide, leaf1, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_cpuid(none, leaf1, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_cpuid(address, leaf0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_cpuid(address, cache9, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_cpuid(address, rtm, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_cpuid(address, waitpkg, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_CREATED, init_cpuid(address, leaf1_bad, &hw), -EINVAL, REFUSED(TDX_OP_CPUID), 0);
	EXPECT(TD_CREATED, init_cpuid(other, leaf1, &hw), -EINVAL, REFUSED(TDX_OP_CPUID), 0);
}

static void tsc_and_caps(void **unused)
{
	uint64_t khz = 0;

	(void)unused;
	td_reach(TD_CREATED);
	assert_int_equal(tdx_get_tsc_khz(TD_VM_FD, &khz), 0);
	assert_int_equal(khz, 2000000);
	assert_int_equal(tdx_set_tsc_khz(TD_VM_FD, 2100000), 0);
	assert_int_equal(tdx_get_tsc_khz(TD_VM_FD, &khz), 0);
	assert_int_equal(khz, 2100000);
	assert_int_equal(private_enable_cap(TD_VM_FD, UAPI_CAP_APIC_BUS_CYCLES_NS, 40), -ENXIO);
	assert_int_equal(private_enable_cap(TD_VM_FD, UAPI_CAP_EXIT_HYPERCALL, 1), -EINVAL);
	td_leave();
	td_reach(TD_IRQCHIP);
	assert_int_equal(private_enable_cap(TD_VM_FD, UAPI_CAP_APIC_BUS_CYCLES_NS, 0), -EINVAL);
	assert_int_equal(private_enable_cap(TD_VM_FD, UAPI_CAP_APIC_BUS_CYCLES_NS, 40), 0);
	td_leave();
	td_reach(TD_VCPU);
	assert_int_equal(private_enable_cap(TD_VM_FD, UAPI_CAP_APIC_BUS_CYCLES_NS, 40), -EINVAL);
	assert_int_equal(tdx_set_tsc_khz(TD_VM_FD, 2100000), -EINVAL);
	td_leave();
	td_reach(TD_CREATED);
	assert_true((__wrap_kvm_check_cap(3, UAPI_CAP_VM_TYPES) >> UAPI_VM_TYPE_TDX & 1) != 0);
	model.psp_fd = -1 - model.psp_fd;
	assert_true((__wrap_kvm_check_cap(3, UAPI_CAP_VM_TYPES) >> UAPI_VM_TYPE_TDX & 1) == 0);
	assert_int_equal(tdx_create_vm(3, &(int){ 0 }), -EINVAL);
	model.psp_fd = -1 - model.psp_fd;
	td_leave();
}

/* ---- vCPUs ---------------------------------------------------------------------------------- */

static void vcpus(void **unused)
{
	struct err e = { 0 };
	int fd;

	(void)unused;
	td_reach(TD_IRQCHIP); /* before INIT_VM */
	assert_int_equal(__wrap_kvm_create_vcpu(TD_VM_FD, 0, &fd, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "Input/output error"));
	td_leave();
	td_reach(TD_INITED);
	e = (struct err){ 0 };
	assert_int_equal(__wrap_kvm_create_vcpu(TD_VM_FD, TD_CPUS_MAX, &fd, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "Invalid argument"));
	model.irqchip = false;
	e = (struct err){ 0 };
	assert_int_equal(__wrap_kvm_create_vcpu(TD_VM_FD, 0, &fd, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "Invalid argument"));
	td_leave();
	td_reach(TD_FINAL);
	e = (struct err){ 0 };
	assert_int_equal(__wrap_kvm_create_vcpu(TD_VM_FD, 1, &fd, &e), -EX_HOST);
	td_leave();
}

static int init_with_cpuid(bool x2apic, uint64_t *hw)
{
	union kvm_cpuid_table t = td_vcpu_cpuid();
	struct err e = { 0 };

	if (!x2apic)
		t.head.entries[1].ecx = 0;
	assert_int_equal(__wrap_kvm_set_cpuid(td_vcpu_fd, &t, &e), 0);
	return tdx_init_vcpu(td_vcpu_fd, 7, hw);
}

static void init_vcpu(void **unused)
{
	(void)unused;
	EXPECT(TD_VCPU, tdx_init_vcpu(td_vcpu_fd, 0, &hw), -EINVAL, NO_HW, 0); /* no CPUID */
	EXPECT(TD_VCPU, init_with_cpuid(false, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU, init_with_cpuid(true, &hw), 0, NO_HW, 0);
	EXPECT(TD_VCPU_READY, tdx_init_vcpu(td_vcpu_fd, 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_FINAL, tdx_init_vcpu(td_vcpu_fd, 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU, tdx_init_vcpu(td_vcpu_fd + 1, 0, &hw), -ENOTTY, NO_HW, 0);
	/* Intel TDX Module ABI, initial state: what the guest starts with. */
	td_reach(TD_VCPU);
	uint64_t hw;
	assert_int_equal(init_with_cpuid(true, &hw), 0);
	assert_int_equal(td_after.rip, 0xFFFFFFF0);
	assert_int_equal(td_after.rbx, 48);
	assert_int_equal(td_after.rcx, 7);
	assert_int_equal(td_after.r8, 7);
	assert_int_equal(td_after.rdx, 0x806F8);
	assert_int_equal(td_after.rsi, 0);
	assert_int_equal(td_after.rflags, 2);
	td_leave();
}

/* A trust domain's registers are the module's, from the first. */
static void registers(void **unused)
{
	struct kvm_regs regs = { 0 };
	struct kvm_sregs sregs = { 0 };

	(void)unused;
	for (enum td_step s = TD_VCPU; s <= TD_FINAL; s++) {
		struct err e = { 0 };

		td_reach(s);
		assert_int_equal(__wrap_kvm_set_regs(td_vcpu_fd, &regs, &e), -EX_HOST);
		assert_int_equal(__wrap_kvm_get_regs(td_vcpu_fd, &regs, &e), -EX_HOST);
		assert_int_equal(__wrap_kvm_set_sregs(td_vcpu_fd, &sregs, &e), -EX_HOST);
		assert_int_equal(__wrap_kvm_get_sregs(td_vcpu_fd, &sregs, &e), -EX_HOST);
		assert_int_equal(__wrap_kvm_set_msr(td_vcpu_fd, 0x1A0, 1, &e), -EX_HOST);
		assert_int_equal(__wrap_kvm_run_vcpu(td_vcpu_fd), s == TD_FINAL ? 0 : -EINVAL);
		td_leave();
	}
}

static int get_cpuid(uint32_t room, uint32_t *needed, uint64_t *hw)
{
	static union kvm_cpuid_table t;
	int rc;

	memset(&t, 0, sizeof(t));
	t.head.nent = room;
	rc = tdx_get_cpuid(td_vcpu_fd, &t, hw);
	*needed = t.head.nent;
	return rc;
}

static void get_cpuid_row(void **unused)
{
	uint32_t n;

	(void)unused;
	EXPECT(TD_VCPU_READY, get_cpuid(256, &n, &hw), 0, NO_HW, 0);
	EXPECT(TD_VCPU_READY, get_cpuid(2, &n, &hw), -E2BIG, NO_HW, 0);
	assert_int_equal(n, 3); /* here KVM says it */
	EXPECT(TD_FINAL, get_cpuid(256, &n, &hw), -EINVAL, NO_HW, 0);
}

/* ---- memory --------------------------------------------------------------------------------- */

static struct uapi_tdx_mem_region m;

static int add(uint64_t gpa, uint64_t pages, int measure, uint64_t *hw)
{
	m = td_region(gpa, pages);
	return tdx_init_mem_region(td_vcpu_fd, &m, measure, hw);
}

static int add_from(uint64_t source, uint64_t *hw)
{
	m = td_region(0x200000, 1);
	m.source_addr = source;
	return tdx_init_mem_region(td_vcpu_fd, &m, 0, hw);
}

static void add_states(void **unused)
{
	(void)unused;
	EXPECT(TD_VCPU, add(0x200000, 1, 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU_READY, add(0x200000, 1, 0, &hw), 0, NO_HW, 1);
	EXPECT(TD_VCPU_READY, add(0x200000, 2, 1, &hw), 0, NO_HW, 34); /* 16 EXTENDs a page */
	EXPECT(TD_ADDED, add(FW_IMAGE, 1, 0, &hw), -EIO, TDX_ST_ENTRY_STATE | TDX_OP_RCX, 0);
	EXPECT(TD_FINAL, add(0x200000, 1, 0, &hw), -EINVAL, NO_HW, 0);
}

static void add_arguments(void **unused)
{
	(void)unused;
	EXPECT(TD_VCPU_READY, add(0x200800, 1, 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU_READY, add(0x200000, 0, 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU_READY, add(0x200000, UINT64_MAX / 4096, 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU_READY, add(MODEL_S_BIT, 1, 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU_READY, add(MODEL_S_BIT - 4096, 2, 0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU_READY, add(TD_MEMORY, 1, 0, &hw), -EINVAL, NO_HW, 0);  /* no slot */
	EXPECT(TD_VCPU_READY, add(FW_BOOT_BLOCK, 1, 0, &hw), -EINVAL, NO_HW, 0); /* shared */
	EXPECT(TD_VCPU_READY, add_from(0, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_VCPU_READY, add_from((uint64_t)(uintptr_t)td_source + 8, &hw), -EINVAL, NO_HW, 0);
	/* Progress stays in the region, whatever ended it. */
	EXPECT(TD_VCPU_READY, add(FW_BOOT_BLOCK - 4096, 2, 0, &hw), -EINVAL, NO_HW, 1);
	assert_int_equal(m.nr_pages, 1);
	assert_int_equal(m.gpa, FW_BOOT_BLOCK);
	assert_int_equal(m.source_addr, (uint64_t)(uintptr_t)td_source + 4096);
}

static void add_module(void **unused)
{
	(void)unused;
	EXPECT(TD_VCPU_READY, (td_module_says(TDX_PAGE_ADD, TDX_ST_OPERAND_BUSY | 1),
			       add(0x200000, 2, 0, &hw)), -EBUSY, TDX_ST_OPERAND_BUSY | 1, 1);
	assert_int_equal(m.nr_pages, 2);
	EXPECT(TD_VCPU_READY, (td_module_says(TDX_PAGE_ADD, TDX_ST_OP_STATE),
			       add(0x200000, 1, 0, &hw)), -EIO, TDX_ST_OP_STATE, 1);
	EXPECT(TD_VCPU_READY, (td_module_says(TDX_PAGE_ADD, TDX_ST_OPERAND_BUSY),
			       add(0x200000, 1, 0, &hw), td_module_says(0, 0),
			       add(0x200000, 1, 0, &hw)), 0, NO_HW, 2);
	EXPECT(TD_VCPU_READY, (td_module_dies(), add(0x200000, 1, 0, &hw)), -EIO,
	       TDX_ST_SYS_SHUTDOWN, 0);
}

static void finalize(void **unused)
{
	(void)unused;
	EXPECT(TD_IRQCHIP, tdx_finalize_vm(TD_VM_FD, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_INITED, tdx_finalize_vm(TD_VM_FD, &hw), -EIO, TDX_ST_NO_VCPUS, 0);
	EXPECT(TD_ADDED, tdx_finalize_vm(TD_VM_FD, &hw), 0, NO_HW, 1);
	EXPECT(TD_FINAL, tdx_finalize_vm(TD_VM_FD, &hw), -EINVAL, NO_HW, 0);
	EXPECT(TD_ADDED, (td_module_says(TDX_MR_FINALIZE, TDX_ST_OPERAND_BUSY),
			  tdx_finalize_vm(TD_VM_FD, &hw)), -EBUSY, TDX_ST_OPERAND_BUSY, 1);
	EXPECT(TD_ADDED, (td_module_says(TDX_MR_FINALIZE, TDX_ST_OPERAND_BUSY),
			  tdx_finalize_vm(TD_VM_FD, &hw), td_module_says(0, 0),
			  tdx_finalize_vm(TD_VM_FD, &hw)), 0, NO_HW, 2);
	EXPECT(TD_ADDED, (td_module_says(TDX_MR_FINALIZE, TDX_ST_OP_STATE),
			  tdx_finalize_vm(TD_VM_FD, &hw)), -EIO, TDX_ST_OP_STATE, 1);
	/* Without an image at its place there is nothing to patch, and the model cannot run it. */
	EXPECT(TD_VCPU_READY, tdx_finalize_vm(TD_VM_FD, &hw), -EIO, NO_HW, 1);
	EXPECT(TD_ADDED, tdx_finalize_vm(TD_VM_FD + 1, &hw), -ENOTTY, NO_HW, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_row), cmocka_unit_test(init_states),
		cmocka_unit_test(init_arguments),   cmocka_unit_test(init_module),
		cmocka_unit_test(init_cpuid_table), cmocka_unit_test(tsc_and_caps),
		cmocka_unit_test(vcpus),            cmocka_unit_test(init_vcpu),
		cmocka_unit_test(registers),        cmocka_unit_test(get_cpuid_row),
		cmocka_unit_test(add_states),       cmocka_unit_test(add_arguments),
		cmocka_unit_test(add_module),       cmocka_unit_test(finalize),
	};

	return cmocka_run_group_tests_name("model_tdx", tests, NULL, NULL);
}
