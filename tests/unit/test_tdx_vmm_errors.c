/* What a user reads when a step of a trust domain's launch fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vmm/tee/tdx_errors.h"

#include <errno.h>
#include <string.h>

struct failure {
	enum tdx_step step;
	int rc;
	uint64_t hw;
	const char *text; /* part of what the user reads */
};

#define OPERAND(n) (0xC000010000000000 | (n))

static const struct failure failures[] = {
	{ TDX_CREATE_VM, -EINVAL, 0, "KVM_CREATE_VM(TDX): this host's KVM makes no trust domains" },
	{ TDX_CREATE_VM, -EOPNOTSUPP, 0, "see the kernel log for virt/tdx" },
	{ TDX_CAPABILITIES, -E2BIG, 0, "more configurable CPUID leaves than 256" },
	{ TDX_CAPABILITIES, -EINVAL, 0, "mainline Linux 6.16" },
	{ TDX_BUS_CYCLES, -EINVAL, 0, "25 MHz" },
	{ TDX_BUS_CYCLES, -ENXIO, 0, "before there is an APIC" },
	{ TDX_TSC, -EINVAL, 0, "KVM_SET_TSC_KHZ: the kernel refuses the host's own TSC" },
	{ TDX_INIT_VM, -EINVAL, 0, "KVM_TDX_INIT_VM: the kernel refuses attributes, xfam or a" },
	{ TDX_INIT_VM, -EINVAL, OPERAND(64), "refuses the attributes" },
	{ TDX_INIT_VM, -EINVAL, OPERAND(65), "refuses the extended features (xfam)" },
	{ TDX_INIT_VM, -EINVAL, OPERAND(66), "execution controls" },
	{ TDX_INIT_VM, -EINVAL, OPERAND(67), "width of guest addresses" },
	{ TDX_INIT_VM, -EINVAL, OPERAND(68), "number of processors" },
	{ TDX_INIT_VM, -EINVAL, OPERAND(69), "refuses a CPUID value" },
	{ TDX_INIT_VM, -EINVAL, OPERAND(70), "TSC frequency" },
	{ TDX_INIT_VM, -EINVAL, OPERAND(2), "refuses an operand" },
	{ TDX_INIT_VM, -E2BIG, 0, "that many CPUID leaves" },
	{ TDX_INIT_VM, -EBUSY, 0, "misc.max tdx" },
	{ TDX_INIT_VM, -ENOSPC, 0, "no memory key is left" },
	{ TDX_INIT_VM, -EIO, 0, "processor of each package" },
	{ TDX_INIT_VM, -EAGAIN, 0x8000020300000000, "no random numbers left" },
	{ TDX_INIT_VM, -EAGAIN, 0, "no random numbers left" },
	{ TDX_INIT_VCPU, -EINVAL, 0, "KVM_TDX_INIT_VCPU: the vCPU lacks x2APIC" },
	{ TDX_GET_CPUID, -E2BIG, 0, "KVM_TDX_GET_CPUID: the module has more" },
	{ TDX_INIT_MEM_REGION, -EINVAL, 0, "KVM_TDX_INIT_MEM_REGION: the kernel refuses a page" },
	{ TDX_INIT_MEM_REGION, -EEXIST, 0, "added before" },
	{ TDX_INIT_MEM_REGION, -EIO, 0xC0000B0D00000001, "added before" },
	{ TDX_INIT_MEM_REGION, -EIO, 0xC0000B0200000001, "added before" },
	{ TDX_INIT_MEM_REGION, -EIO, 0xC0000B0000000001, "Secure EPT has no entry" },
	{ TDX_INIT_MEM_REGION, -EIO, OPERAND(1), "address of a page" },
	{ TDX_INIT_MEM_REGION, -EIO, 0, "without word of the module" },
	{ TDX_INIT_MEM_REGION, -EINTR, 0, "signals kept interrupting" },
	{ TDX_INIT_MEM_REGION, -EAGAIN, 0, "overloaded" },
	{ TDX_INIT_MEM_REGION, -EBUSY, 0, "stays busy" },
	{ TDX_INIT_MEM_REGION, -EPROTO, 0, "did none" },
	{ TDX_FINALIZE_VM, -EINVAL, 0, "KVM_TDX_FINALIZE_VM: the trust domain cannot run" },
	{ TDX_FINALIZE_VM, -EBUSY, 0x8000020000000000, "is busy" },
	{ TDX_FINALIZE_VM, -EIO, 0xC000060900000000, "no processor" },
	{ TDX_RUN, -EIO, 0, "KVM_RUN: the TDX module ended the trust domain" },
	{ TDX_RUN, -EINVAL, 0, "not launched to its end" },
	{ TDX_RUN, -EIO, 0xC0000B0D00000001, "private page it had not accepted" },
	{ TDX_CAPABILITIES, -ENOTTY, 0, "mainline Linux 6.16" },
	{ TDX_INIT_VM, -ENOMEM, 0, "out of memory" },
	{ TDX_INIT_MEM_REGION, -EFAULT, 0, "could not read our memory" },
	{ TDX_GET_CPUID, -EIO, 0, "dead or the module refused" },
	{ TDX_INIT_VM, -EXDEV, 0, "not a known answer of this step" },
	{ TDX_INIT_VM, -EIO, 0xC0000BAD00000000, "not a status this version knows" },
};

static void every_failure_becomes_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct failure *f = &failures[i];
		struct err e = { 0 };

		assert_int_equal(tdx_error(f->step, f->rc, f->hw, &e), -EX_HOST);
		if (!strstr(e.text, f->text))
			fail_msg("%s\nlacks: %s", e.text, f->text);
		assert_non_null(strstr(e.text, strerror(-f->rc)));
	}
}

/* Each status that a TDX module of today gives, whatever the step, has its name and a sentence. */
static void every_status_has_a_name_and_a_sentence(void **state)
{
	static const struct {
		uint32_t class;
		const char *name;
	} all[] = {
		{ 0xC0000100, "OPERAND_INVALID" },   { 0x80000200, "OPERAND_BUSY" },
		{ 0x80000203, "RND_NO_ENTROPY" },    { 0x80000204, "BUSY_HOST_PRIORITY" },
		{ 0xC0000300, "PAGE_METADATA" },     { 0xC0000400, "TD_ASSOCIATED_PAGES" },
		{ 0xC0000505, "SYS_NOT_READY" },     { 0xC0000506, "SYS_SHUTDOWN" },
		{ 0xE0000604, "TD_FATAL" },          { 0xC0000606, "TDCS_NOT_ALLOCATED" },
		{ 0xC0000607, "LIFECYCLE" },         { 0xC0000608, "OP_STATE" },
		{ 0xC0000609, "NO_VCPUS" },          { 0xC0000610, "TDCX_NUM" },
		{ 0xC0000700, "VCPU_STATE" },        { 0x80000701, "VCPU_ASSOCIATED" },
		{ 0xC0000705, "MAX_VCPUS" },         { 0xC0000820, "HKID_NOT_FREE" },
		{ 0xC0000B00, "EPT_WALK" },          { 0xC0000B02, "ENTRY_NOT_FREE" },
		{ 0xC0000B0D, "STATE_INCORRECT" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct err e = { 0 };

		tdx_error(TDX_INIT_MEM_REGION, -EIO, (uint64_t)all[i].class << 32 | 9, &e);
		if (!strstr(e.text, all[i].name) || strstr(e.text, "not a status"))
			fail_msg("%s: %s", all[i].name, e.text);
	}
	assert_string_equal(tdx_status_name(1ull << 63), "unknown");
}

static void no_sentence_is_cut(void **state)
{
	static const uint32_t class[] = { 0, 0xC0000100, 0x80000200, 0x80000203, 0xC0000B0D,
					  0xE0000604, 0xC0000820, 0x12345678 };

	(void)state;
	for (int step = 0; step < TDX_STEPS; step++)
		for (int errnum = 1; errnum < 134; errnum++)
			for (size_t k = 0; k < sizeof(class) / sizeof(class[0]); k++)
				for (uint64_t operand = 0; operand < 72; operand++) {
					struct err e = { 0 };

					tdx_error((enum tdx_step)step, -errnum,
						  (uint64_t)class[k] << 32 | operand, &e);
					assert_true(strlen(e.text) < sizeof(e.text) - 1);
					assert_int_equal(e.text[strlen(e.text) - 1], ')');
				}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_becomes_a_sentence),
		cmocka_unit_test(every_status_has_a_name_and_a_sentence),
		cmocka_unit_test(no_sentence_is_cut),
	};

	return cmocka_run_group_tests_name("tdx_vmm_errors", tests, NULL, NULL);
}
