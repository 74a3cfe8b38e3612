/* What a trust domain may do to its memory at run time, and how it ends. Conversions are those of
 * every confidential guest: test_snp_exits.c has them in full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/record.h"
#include "common/snp_term.h"
#include "firmware/stop.h"
#include "tests/unit/tdx_vm.h"
#include "vmm/tee/private_exits.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/tdx_exits.h"

#include <errno.h>
#include <string.h>

#define GIB    (1ull << 30)
#define MEMORY (3 * GIB + (64u << 20)) /* sparse; 64 MiB of it from 4 GiB upward */
#define HIGH   (4 * GIB)
#define PRIVATE 16u

static struct vcpu *v;

static int begin(void **state)
{
	(void)state;
	tdx_vm_begin(MEMORY, 2, true);
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(tdx_vm_vcpus(), 0);
	v = &tm.vm.vcpu[0];
	fake.used = 0;
	fake.trace[0] = '\0';
	return 0;
}

static int end(void **state)
{
	(void)state;
	tdx_vm_end();
	return 0;
}

static uint64_t map_gpa(uint64_t gpa, uint64_t pages, uint64_t attributes)
{
	struct kvm_run *run = v->run;

	memset(run, 0, sizeof(*run));
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = UAPI_HC_MAP_GPA_RANGE;
	run->hypercall.args[0] = gpa;
	run->hypercall.args[1] = pages;
	run->hypercall.args[2] = attributes;
	run->hypercall.ret = 0xDEAD;
	assert_true(tdx_exit(v, 0));
	return run->hypercall.ret;
}

static void map_gpa_converts(void **state)
{
	(void)state;
	assert_int_equal(map_gpa(0x400000, 512, 0), 0);
	assert_true(private_memory_all_shared(&tm.vm.private_memory, 0x400000, 0x200000));
	assert_int_equal(map_gpa(HIGH + 0x1000, 1, 1), 0); /* a hint of 2 MiB, to shared */
	assert_true(private_memory_is_shared(&tm.vm.private_memory, HIGH + 0x1000));
	assert_int_equal(map_gpa(0x400000, 1, PRIVATE), 0);
	assert_false(private_memory_all_shared(&tm.vm.private_memory, 0x400000, 0x200000));
	assert_string_equal(fake.trace, "attributes 60 0x400000 0x200000 0\n"
					"discard private 41 0x400000 0x200000\n"
					"attributes 60 0x100001000 0x1000 0\n"
					"discard private 41 0xc0001000 0x1000\n"
					"attributes 60 0x400000 0x1000 0x8\n");
}

/* libkrun's handler: an unchecked product, any bit taken for "private", no error for the guest. */
static void hostile_map_gpa_is_answered_and_changes_nothing(void **state)
{
	static const struct {
		const char *what;
		uint64_t gpa, pages, attributes;
	} cases[] = {
		{ "the reset page", FW_RESET_PAGE, 1, 0 },
		{ "the reset page, to private", FW_RESET_PAGE, 1, PRIVATE },
		{ "the shared bit left in", 0x400000 | 1ull << TDX_S_BIT, 1, 0 },
		{ "the hole", 3 * GIB, 1, 0 },
		{ "into the hole", 3 * GIB - 4096, 2, 0 },
		{ "the product wraps", 0x400000, (1ull << 52) + 1, PRIVATE },
		{ "the end wraps", 0xFFFFFFFFFFFFF000, 2, PRIVATE },
		{ "unaligned", 0x400001, 1, PRIVATE },
		{ "nothing", 0x400000, 0, PRIVATE },
		{ "too much", 0x400000, PRIVATE_CONVERT_PAGES_MAX + 1, PRIVATE },
		{ "unknown bit", 0x400000, 1, 1 << 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (map_gpa(cases[i].gpa, cases[i].pages, cases[i].attributes) != (uint64_t)-22)
			fail_msg("%s", cases[i].what);
		if (fake.used != 0)
			fail_msg("%s: %s", cases[i].what, fake.trace);
		assert_int_equal(atomic_load(&tm.vm.end), 0);
	}
}

static bool fault(int rc, uint64_t gpa, uint64_t flags)
{
	const struct uapi_memory_fault f = { flags, gpa, 4096 };

	memset(v->run, 0, sizeof(*v->run));
	v->run->exit_reason = UAPI_EXIT_MEMORY_FAULT;
	memcpy((uint8_t *)v->run + UAPI_RUN_MEMORY_FAULT_OFFSET, &f, sizeof(f));
	return tdx_exit(v, rc);
}

/* cloud-hypervisor's port, pitfall "MEMORY_FAULT unhandled": handled, and never by a conversion. */
static void unasked_conversions_end_the_guest(void **state)
{
	static const struct {
		uint64_t gpa, flags;
	} cases[] = {
		{ 0x400000, 0 },                     /* shared access, page private */
		{ FW_STAGING, UAPI_FAULT_PRIVATE },  /* private access, page shared */
		{ FW_RESET_PAGE, 0 },                /* the reset page is private for ever */
		{ 3 * GIB, UAPI_FAULT_PRIVATE },
		{ UINT64_MAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		atomic_store(&tm.vm.end, 0);
		atomic_store(&tm.vm.stopping, false);
		assert_true(fault(-EFAULT, cases[i].gpa, cases[i].flags));
		assert_int_equal(atomic_load(&tm.vm.end), VM_END_MEMORY_FAULT);
		assert_int_equal(fake.used, 0);
	}
}

static void fatal(uint64_t code, const char *message, unsigned ndata)
{
	/* R14, R15, RBX, RDI, RSI, R8, R9, RDX */
	static const unsigned order[8] = { 14, 15, 3, 7, 6, 8, 9, 2 };
	char text[65] = "";

	strncpy(text, message, sizeof(text) - 1);
	memset(v->run, 0, sizeof(*v->run));
	v->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	v->run->system_event.type = UAPI_SYSTEM_EVENT_TDX_FATAL;
	v->run->system_event.ndata = ndata;
	v->run->system_event.data[12] = code;
	for (unsigned i = 0; i < 8; i++)
		memcpy((void *)&v->run->system_event.data[order[i]], text + i * 8ul, 8);
	atomic_store(&tm.vm.end, 0);
	atomic_store(&tm.vm.stopping, false);
	assert_true(tdx_exit(v, 0));
}

static void a_stop_of_the_firmware_is_one(void **state)
{
	(void)state;
	fatal(STOP_MAGIC | STOP_TDX_ACCEPTED, "", 16);
	assert_int_equal(atomic_load(&tm.vm.end), VM_END_FIRMWARE_STOP);
	assert_int_equal(atomic_load(&tm.vm.end_detail), STOP_TDX_ACCEPTED);
}

static void a_stop_word_of_the_kernel_is_none(void **state)
{
	(void)state;
	tm.vm.power.handed_over = true;
	fatal(STOP_MAGIC | STOP_KERNEL_HASH, "Hello", 16);
	assert_int_equal(atomic_load(&tm.vm.end), VM_END_TERMINATED);
	fatal(1ull << 32 | STOP_MAGIC | STOP_KERNEL_HASH, "", 16);
	assert_int_equal(atomic_load(&tm.vm.end), VM_END_TERMINATED);
}

static void a_fatal_error_tells_its_message(void **state)
{
	(void)state;
	fatal(0, "TD misconfiguration: SEPT #VE has to be disabled", 16);
	assert_int_equal(atomic_load(&tm.vm.end), VM_END_TERMINATED);
	assert_int_equal(atomic_load(&tm.vm.end_detail), SNP_TERM_SET_TDX << 8);
	assert_non_null(strstr(tdx_vm_log(), "TD misconfiguration: SEPT #VE has to be disabled"));
	assert_non_null(strstr(snp_term_text(SNP_TERM_SET_TDX, 0), "VMM's log"));
	fatal(7, "bad \x1b[31m\n\xff text", 16);
	assert_non_null(strstr(tdx_vm_log(), "(code 0x7): bad ?[31m?? text"));
	fatal(7, "not said", 15); /* fewer registers than KVM says it gives */
	assert_non_null(strstr(tdx_vm_log(), "(code 0): without a message"));
	fatal(0, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 16);
	assert_non_null(strstr(tdx_vm_log(), "(code 0): ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
					     "qrstuvwxyz0123456789+/\n"));
	fatal(0x1F7, "x", 16);
	assert_non_null(strstr(tdx_vm_log(), "(code 0x1f7): x\n"));
	assert_int_equal(atomic_load(&tm.vm.end_detail), SNP_TERM_SET_TDX << 8 | 0xF7);
}

static void faults_without_cause_are_believed_for_a_while(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 64; i++)
			assert_true(fault(-EFAULT, 0x400000, UAPI_FAULT_PRIVATE));
		assert_int_equal(atomic_load(&tm.vm.end), 0);
		if (round == 0) /* anything else that the guest does */
			assert_int_equal(map_gpa(0x800000, 1, 0), 0);
	}
	assert_true(fault(-EFAULT, 0x400000, UAPI_FAULT_PRIVATE));
	assert_int_equal(atomic_load(&tm.vm.end), VM_END_MEMORY_FAULT);
}

static void damaged_memory_ends_the_guest(void **state)
{
	(void)state;
	assert_true(fault(-EHWPOISON, 0x400000, UAPI_FAULT_PRIVATE));
	assert_int_equal(atomic_load(&tm.vm.end), VM_END_MEMORY_FAULT);
	assert_non_null(strstr(tdx_vm_log(), "damaged"));
}

static void other_system_events_are_left_to_the_caller(void **state)
{
	(void)state;
	v->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	v->run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
	assert_false(tdx_exit(v, 0));
	v->run->system_event.type = UAPI_SYSTEM_EVENT_SEV_TERM;
	assert_false(tdx_exit(v, 0));
}

static void a_dead_trust_domain_is_explained(void **state)
{
	(void)state;
	assert_false(tdx_exit(v, -EIO));
	assert_non_null(strstr(tdx_vm_log(), "KVM_RUN: the TDX module ended the trust domain: it "
					     "used private memory it had not accepted"));
	assert_null(strstr(tdx_vm_log(), "; module"));
	v->run->exit_reason = KVM_EXIT_IO;
	assert_false(tdx_exit(v, -EFAULT)); /* the exit reason is not valid */
	assert_false(tdx_exit(v, 0));
	assert_int_equal(atomic_load(&tm.vm.end), 0);
}

/* canonical/tdx#348: modules before 1.5.06. */
static void a_refused_entry_names_the_module(void **state)
{
	(void)state;
	v->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	v->run->fail_entry.hardware_entry_failure_reason = 0xE0000091;
	assert_true(tdx_exit(v, 0));
	assert_int_equal(atomic_load(&tm.vm.end), VM_END_KVM_ERROR);
	assert_int_equal(atomic_load(&tm.vm.end_detail), KVM_EXIT_FAIL_ENTRY);
	assert_non_null(strstr(tdx_vm_log(), "(0xe0000091)"));
	assert_non_null(strstr(tdx_vm_log(), "1.5.06"));
}

static void an_unexpected_answer_of_the_module_is_decoded(void **state)
{
	(void)state;
	v->run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	v->run->internal.suberror = 4;
	v->run->internal.ndata = 2;
	v->run->internal.data[0] = 0xE000060400000000;
	assert_true(tdx_exit(v, 0));
	assert_int_equal(atomic_load(&tm.vm.end), VM_END_KVM_ERROR);
	assert_int_equal(atomic_load(&tm.vm.end_detail), KVM_EXIT_INTERNAL_ERROR);
	assert_non_null(strstr(tdx_vm_log(), "(Input/output error; module 0xe000060400000000: "
					     "TD_FATAL"));
	v->run->internal.ndata = 0; /* nothing to decode */
	assert_false(tdx_exit(v, 0));
	v->run->internal.ndata = 1;
	v->run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	assert_false(tdx_exit(v, 0));
}

static uint64_t tdvmcall(struct uapi_tdx_exit *x)
{
	x->ret = UAPI_TDVMCALL_UNSUPPORTED;
	v->run->exit_reason = UAPI_EXIT_TDX;
	memcpy((uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, x, sizeof(*x));
	assert_true(tdx_exit(v, 0));
	memcpy(x, (uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, sizeof(*x));
	return x->ret;
}

static void the_guest_learns_which_calls_there_are(void **state)
{
	struct uapi_tdx_exit x = { .nr = UAPI_TDVMCALL_INFO,
				   .info = { 1, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
	int notify_fd;

	(void)state;
	assert_int_equal(tdx_vm_launch(), 0);
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_SUCCESS);
	assert_int_equal(x.info.r11, 2);
	assert_int_equal(x.info.r12 | x.info.r13 | x.info.r14, 0);
	tm.vm.tdx.caps.head.user_tdvmcallinfo_1_r11 = UINT64_MAX; /* ours is one of them */
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_SUCCESS);
	assert_int_equal(x.info.r11, 2);
	notify_fd = tm.vm.tdx.quotes.notify_fd;
	tm.vm.tdx.quotes.notify_fd = 0; /* a descriptor like others */
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_SUCCESS);
	assert_int_equal(x.info.r11, 2);
	tm.vm.tdx.quotes.notify_fd = -1; /* no relay */
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_SUCCESS);
	assert_int_equal(x.info.r11, 0);
	tm.vm.tdx.quotes.notify_fd = notify_fd;
	tm.vm.tdx.caps.head.user_tdvmcallinfo_1_r11 = 0; /* a kernel that does not pass it on */
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_SUCCESS);
	assert_int_equal(x.info.r11, 0);
	x.info.leaf = 2;
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_INVALID);
	x.nr = 0x10005;
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_UNSUPPORTED);
	x.nr = UINT64_MAX;
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_UNSUPPORTED);
	x = (struct uapi_tdx_exit){ .nr = UAPI_TDVMCALL_SETUP_NOTIFY, .notify.vector = 14 };
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_INVALID);
	x.notify.vector = 50;
	assert_true(tdvmcall(&x) == UAPI_TDVMCALL_SUCCESS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(map_gpa_converts),
		TEST(hostile_map_gpa_is_answered_and_changes_nothing),
		TEST(unasked_conversions_end_the_guest),
		TEST(faults_without_cause_are_believed_for_a_while),
		TEST(damaged_memory_ends_the_guest),
		TEST(a_stop_of_the_firmware_is_one),
		TEST(a_stop_word_of_the_kernel_is_none),
		TEST(a_fatal_error_tells_its_message),
		TEST(other_system_events_are_left_to_the_caller),
		TEST(a_dead_trust_domain_is_explained),
		TEST(a_refused_entry_names_the_module),
		TEST(an_unexpected_answer_of_the_module_is_decoded),
		TEST(the_guest_learns_which_calls_there_are),
	};

	return cmocka_run_group_tests_name("tdx_vmm_exits", tests, NULL, NULL);
}
