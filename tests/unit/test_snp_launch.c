/* The launch of an SEV-SNP guest: which calls in which order, what is tried again, and what a user
 * reads when a step fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/snp_vm.h"
#include "vmm/tee/snp_errors.h"
#include "vmm/tee/private_exits.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/tee.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define MEMORY (160ull << 20)

static int begin(void **state)
{
	(void)state;
	snp_vm_begin(MEMORY, 2);
	return 0;
}

static int end(void **state)
{
	(void)state;
	snp_vm_end();
	return 0;
}

static void disturb(const char *call, unsigned times, int rc, uint32_t fw, int pages)
{
	fake.script[0] = (struct fake_answer){ call, times, rc, fw, pages, false };
}

static void every_call_comes_in_its_order(void **state)
{
	static const char expected[] =
		"create_vm 8\n"
		"cap 40 201 0x1000\n"
		"irqchip 40 24\n"
		"cap 40 129 0x3\n"
		"init2 40 9 0\n"
		"guest_memfd 40 0xa000000\n"
		"memory 40 0 0 0xa000000 host 41 0\n"
		"attributes 40 0 0xa000000 0x8\n"
		"attributes 40 0x181000 0x1000 0\n"
		"attributes 40 0x8000000 0x200000 0\n"
		"attributes 40 0x8200000 0x400000 0\n"
		"vcpu 0\n"
		"vcpu 1\n"
		"start 40 9 0x30000\n"
		"update 1 40 9 0x100 0x2000 page\n"
		"update 3 40 9 0x110 0x70000 none\n"
		"update 1 40 9 0x180 0x1000 page\n"
		"update 6 40 9 0x182 0x1000 page\n"
		"update 5 40 9 0x183 0x1000 page\n"
		"get_sregs 50\n"
		"sregs 50\n"
		"regs 50 rip 0x100040\n"
		"msr 50 0x277 0x7040600070406\n"
		"get_sregs 51\n"
		"sregs 51\n"
		"regs 51 rip 0x100080\n"
		"msr 51 0x277 0x7040600070406\n"
		"finish 40 9\n";

	(void)state;
	assert_int_equal(snp_vm_all(), 0);
	assert_string_equal(fake.trace, expected);
	assert_false(fake.signals_seen);
	assert_memory_equal(fake.finish.host_data, sm.config.host_data, 32);
	assert_int_equal(fake.finish.id_block_en, 0);
	assert_true(fake.finish.id_block_uaddr == 0);
	assert_int_equal(sm.vm.pages_added, 117);
}

static void memory_above_the_hole_is_private_too(void **state)
{
	(void)state;
	snp_vm_end();
	snp_vm_begin((3ull << 30) + (64u << 20), 1);
	assert_int_equal(snp_vm_create(), 0);
	assert_int_equal(fake_count("memory 40 0 0 0xc0000000 host 41 0\n"), 1);
	assert_int_equal(fake_count("memory 40 1 0x100000000 0x4000000 host 41 0xc0000000\n"), 1);
	assert_int_equal(fake_count("attributes 40 0 0xc0000000 0x8\n"), 1);
	assert_int_equal(fake_count("attributes 40 0x100000000 0x4000000 0x8\n"), 1);
}

/* The RAM memfd is what the host and devices see. */
static void only_staged_data_is_in_shared_memory(void **state)
{
	uint8_t byte;

	(void)state;
	assert_int_equal(snp_vm_all(), 0);
	assert_int_equal(gpa_read(&sm.vm.memory, FW_IMAGE, &byte, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(gpa_read(&sm.vm.memory, FW_HASH_PAGE, &byte, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(gpa_read(&sm.vm.memory, FW_BOOT_BLOCK, &byte, 1), 0);
	assert_int_equal(byte, 'P');
	assert_int_equal(gpa_read(&sm.vm.memory, FW_STAGING + 8999, &byte, 1), 0);
	assert_int_equal(byte, 0x44);
	assert_int_equal(gpa_read(&sm.vm.memory, FW_STAGING + 0x400000, &byte, 1), 0);
	assert_int_equal(byte, 0x33);
	assert_true(private_memory_is_shared(&sm.vm.private_memory, FW_BOOT_BLOCK));
	assert_true(private_memory_is_shared(&sm.vm.private_memory, FW_STAGING + 0x5FF000));
	assert_false(private_memory_is_shared(&sm.vm.private_memory, FW_STAGING + 0x600000));
	assert_false(private_memory_is_shared(&sm.vm.private_memory, FW_CPUID_PAGE));
	assert_false(private_memory_is_shared(&sm.vm.private_memory, 0));
}

/* common/start_state.h says the same of the VMSA: attributes 0xA9B, 0xC93, 0x8B, 0x82. */
static void the_start_state_is_complete(void **state)
{
	static const struct kvm_segment code = { .limit = 0xFFFFFFFF, .selector = 0x10, .type = 11,
						 .present = 1, .s = 1, .l = 1, .g = 1 };
	static const struct kvm_segment data = { .limit = 0xFFFFFFFF, .selector = 0x18, .type = 3,
						 .present = 1, .s = 1, .db = 1, .g = 1 };
	static const struct kvm_segment ldt = { .type = 2, .present = 1 };
	static const struct kvm_segment tr = { .limit = 0x67, .type = 11, .present = 1 };
	const struct kvm_sregs *s = &fake.sregs;

	(void)state;
	assert_int_equal(snp_vm_all(), 0);
	assert_memory_equal(&s->cs, &code, sizeof(code));
	assert_memory_equal(&s->ds, &data, sizeof(data));
	assert_memory_equal(&s->es, &data, sizeof(data));
	assert_memory_equal(&s->fs, &data, sizeof(data));
	assert_memory_equal(&s->gs, &data, sizeof(data));
	assert_memory_equal(&s->ss, &data, sizeof(data));
	assert_memory_equal(&s->ldt, &ldt, sizeof(ldt));
	assert_memory_equal(&s->tr, &tr, sizeof(tr));
	assert_true(s->apic_base == 0xA5A5A5A5A5A5A5A5); /* as KVM had it */
	assert_int_equal(s->gdt.limit | s->gdt.base | s->idt.limit | s->idt.base, 0);
	assert_int_equal(s->cr0, 0x80000031);
	assert_int_equal(s->cr2, 0);
	assert_true(s->cr3 == FW_IMAGE + 0x1000 + (1ull << 51));
	assert_int_equal(s->cr4, 0x20);
	assert_int_equal(s->efer, 0xD00);
	assert_int_equal(fake.regs.rflags, 2);
	assert_int_equal(fake.regs.rsp, FW_SCRATCH + 0x1000);
	assert_int_equal(fake.regs.rsi | fake.regs.rax | fake.regs.rdx | fake.regs.r15, 0);
}

static void signals_come_back_after_the_launch(void **state)
{
	sigset_t before, after;

	(void)state;
	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	sigprocmask(SIG_SETMASK, &before, NULL);
	disturb("start", 1, -EINVAL, 0, 0);
	assert_int_equal(snp_vm_all(), -EX_HOST);
	sigprocmask(SIG_BLOCK, NULL, &after);
	for (int s = 1; s < SIGRTMIN; s++)
		assert_int_equal(sigismember(&after, s), s == SIGUSR2);
}

/* --- what is tried again --- */

struct retry {
	const char *what;
	const char *call;
	unsigned times;
	int rc;
	uint32_t fw;
	int pages;      /* done by each disturbed call */
	unsigned calls; /* of LAUNCH_UPDATE for that region altogether */
	bool good;
};

static const struct retry retries[] = {
	{ "again is asked for", "update 1 40 9 0x100", 3, -EAGAIN, 0, 0, 4, true },
	{ "a signal", "update 1 40 9 0x100", 2, -EINTR, 0, 0, 3, true },
	{ "a page at a time, called a success", "update 3", 111, 0, 0, 1, 112, true },
	{ "progress with an error", "update 3", 111, -EINTR, 0, 1, 112, true },
	{ "progress without a word", "update 3", 111, -EIO, 0, 1, 112, true },
	{ "no word of the firmware", "update 1 40 9 0x100", 3, -EIO, 0, 0, 4, true },
	{ "no word of the firmware, too often", "update 1 40 9 0x100", 4, -EIO, 0, 0, 4, false },
	{ "again for ever", "update 1 40 9 0x100", 9999, -EAGAIN, 0, 0, 1001, false },
	{ "signals for ever", "update 1 40 9 0x100", 9999, -EINTR, 0, 0, 1001, false },
	{ "no progress called a success", "update 1 40 9 0x100", 9, 0, 0, 0, 1, false },
	{ "length grows", "update 1 40 9 0x100", 9, 0, 0, -1, 1, false },
	{ "the firmware refuses", "update 1 40 9 0x100", 9, -EIO, 0x1A, 0, 1, false },
	{ "the firmware is away", "update 1 40 9 0x100", 9, -EIO, SEV_FW_NONE, 0, 1, false },
	{ "the kernel refuses", "update 1 40 9 0x100", 9, -EINVAL, 0, 0, 1, false },
	{ "secrets page refused", "update 5", 9, -EIO, 0x19, 0, 1, false },
};

static void launch_update_is_tried_again_within_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++) {
		const struct retry *r = &retries[i];
		int rc;

		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		disturb(r->call, r->times, r->rc, r->fw, r->pages);
		rc = snp_vm_all();
		if ((rc == 0) != r->good || (rc != 0 && rc != -EX_HOST))
			fail_msg("%s: %d, %s", r->what, rc, sm.e.text);
		if (fake_count(r->call) != r->calls)
			fail_msg("%s: %u calls", r->what, fake_count(r->call));
		if (rc != 0 && r->rc == 0) /* a broken kernel */
			assert_non_null(strstr(sm.e.text, strerror(EPROTO)));
		assert_int_equal(fake_count("finish"), r->good);
	}
}

/* The bounds are of tries in a row. */
static void progress_starts_the_count_again(void **state)
{
	(void)state;
	fake.script[0] = (struct fake_answer){ "update 1 40 9 0x100", 2, -EIO, 0, 0, false };
	fake.script[1] = (struct fake_answer){ "update 1 40 9 0x100", 1, 0, 0, 1, false };
	fake.script[2] = (struct fake_answer){ "update 1 40 9 0x101", 3, -EIO, 0, 0, false };
	assert_int_equal(snp_vm_all(), 0);
}

/* EIO without a code: only while our own books say that the kernel has no reason. */
static void a_page_that_is_not_private_is_not_tried_again(void **state)
{
	static const struct {
		unsigned region, calls;
		uint64_t gpa, size, shared; /* 0: none */
		const char *call;
	} cases[] = {
		{ 2, 1, FW_HASH_PAGE, 4096, FW_HASH_PAGE, "update 1 40 9 0x180" },
		{ 0, 1, FW_IMAGE, 5000, FW_IMAGE, "update 1 40 9 0x100" },
		{ 0, 1, FW_IMAGE, 5000, FW_IMAGE + 4096, "update 1 40 9 0x100" },
		{ 0, 2, FW_IMAGE, 5000, FW_IMAGE + 8192, "update 1 40 9 0x100" }, /* behind it */
		{ 1, 1, 0x2000000, 0x1001000, 0x3000000, "update 3 40 9 0x2000" },
		{ 2, 1, 0x4000000, 4096, 0x4000000, "update 1 40 9 0x4000" },
		{ 2, 2, MEMORY - 4096, 4096, 0, "update 1 40 9 0x9fff" },
		{ 2, 1, MEMORY, 4096, 0, "update 1 40 9 0xa000" }, /* no RAM */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_region *r = &sm.plan.region[cases[i].region];

		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		assert_int_equal(snp_vm_create(), 0);
		assert_int_equal(snp_vm_cpuid(), 0);
		r->gpa = cases[i].gpa;
		r->size = cases[i].size;
		if (cases[i].shared != 0)
			assert_int_equal(private_memory_convert(&sm.vm.private_memory,
								cases[i].shared, 1, false), 0);
		disturb(cases[i].call, 1, -EIO, 0, 0);
		assert_int_equal(snp_vm_launch(), cases[i].calls == 1 ? -EX_HOST : 0);
		assert_int_equal(fake_count(cases[i].call), cases[i].calls);
	}
}

static void a_corrected_cpuid_page_is_logged_and_taken_once(void **state)
{
	(void)state;
	disturb("update 6", 1, -EIO, 0x16, 0);
	fake.script[0].correct_cpuid = true;
	assert_int_equal(snp_vm_all(), 0);
	assert_int_equal(fake_count("update 6"), 2);
	assert_non_null(strstr(snp_vm_log(), "firmware corrected the CPUID page"));
	assert_non_null(strstr(snp_vm_log(), "CPUID 1.0 EAX: the firmware wants 00a00f15, "
						"not 00a00f11"));
	assert_non_null(strstr(snp_vm_log(), "CPUID 1.0 reserved field: the firmware wants"));
}

static void a_cpuid_page_refused_twice_ends_the_launch(void **state)
{
	(void)state;
	disturb("update 6", 2, -EIO, 0x16, 0);
	fake.script[0].correct_cpuid = true;
	assert_int_equal(snp_vm_all(), -EX_HOST);
	assert_int_equal(fake_count("update 6"), 2);
	assert_non_null(strstr(sm.e.text, "CPUID page"));
	snp_vm_end();
	snp_vm_begin(MEMORY, 1);
	disturb("update 6", 1, -EIO, 0x16, 0); /* refused, and nothing corrected */
	assert_int_equal(snp_vm_all(), -EX_HOST);
	assert_int_equal(fake_count("update 6"), 1);
}

static void a_cpuid_page_needs_a_vcpus_cpuid(void **state)
{
	(void)state;
	assert_int_equal(snp_vm_create(), 0);
	assert_int_equal(snp_vm_launch(), -EX_INTERNAL);
	assert_non_null(strstr(sm.e.text, "launch without a vCPU's CPUID"));
	assert_int_equal(fake_count("start"), 0);
	memset(&sm.e, 0, sizeof(sm.e));
	sm.plan.region[3] = sm.plan.region[4]; /* a plan without one */
	assert_int_equal(snp_vm_launch(), 0);
}

static void regions_of_other_guests_are_refused(void **state)
{
	static const enum plan_region_type types[] = { PLAN_RESET_PAGE, PLAN_MAILBOX };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		assert_int_equal(snp_vm_create(), 0);
		assert_int_equal(snp_vm_cpuid(), 0);
		sm.plan.region[2].type = types[i];
		assert_int_equal(snp_vm_launch(), -EX_INTERNAL);
		assert_non_null(strstr(sm.e.text, "is not SEV-SNP's"));
		assert_int_equal(fake_count("finish"), 0);
	}
}

static void a_failed_finish_is_final(void **state)
{
	(void)state;
	disturb("finish", 1, -EIO, 0x0B, 0);
	assert_int_equal(snp_vm_all(), -EX_UNAUTHENTIC);
	assert_int_equal(fake_count("finish"), 1);
	assert_non_null(strstr(sm.e.text, "BAD_MEASUREMENT"));
}

/* --- what the host must have --- */

static void hosts_without_snp_are_refused_before_anything_is_made(void **state)
{
	static const struct {
		unsigned types, hypercalls, attributes, gmem;
		const char *text;
	} hosts[] = {
		{ 0, 0, 0, 0, "/dev/kvm: no SEV-SNP" },
		{ 0x2F, 0x1000, 8, 1, "/dev/kvm: no SEV-SNP: VM types 0x2f lack bit 4" },
		{ 0x11, 0x1000, 8, 0, "/dev/kvm: no private memory" },
		{ 0x11, 0x1000, 7, 1, "/dev/kvm: no private memory" },
		{ 0x11, 0xFFF, 8, 1, "/dev/kvm: guests cannot ask to share memory" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		fake.types = hosts[i].types;
		fake.hypercalls = hosts[i].hypercalls;
		fake.attributes = hosts[i].attributes;
		fake.gmem = hosts[i].gmem;
		assert_int_equal(snp_vm_all(), -EX_HOST);
		assert_non_null(strstr(sm.e.text, hosts[i].text));
		assert_int_equal(fake.used, 0);
	}
}

static void sev_features_are_asked_for_without_bit_zero(void **state)
{
	(void)state;
	sm.plan.snp.sev_features = 0x21;
	fake.vmsa_features = 0x20;
	assert_int_equal(snp_vm_all(), 0);
	assert_int_equal(fake_count("init2 40 9 0x20\n"), 1);
	snp_vm_end();
	snp_vm_begin(MEMORY, 1);
	sm.plan.snp.sev_features = 0x21;
	assert_int_equal(snp_vm_all(), -EX_HOST);
	assert_non_null(strstr(sm.e.text, "VMSA features 0x20: this host offers 0"));
	assert_int_equal(fake_count("create_vm"), 0);
	snp_vm_end();
	snp_vm_begin(MEMORY, 1);
	sm.plan.snp.sev_features = 0x21;
	disturb("vmsa_features", 1, -ENOTTY, 0, 0);
	assert_int_equal(snp_vm_all(), -EX_HOST);
	assert_non_null(strstr(sm.e.text, "KVM_SEV_INIT2: SNP is off"));
	assert_null(strstr(sm.e.text, "; firmware"));
	assert_int_equal(fake_count("create_vm"), 0);
}

static void the_backend_is_one_of_a_confidential_guest(void **state)
{
	(void)state;
	assert_true(tee_snp.confidential);
	assert_false(tee_snp.owns_start_state);
}

static void every_vcpu_gets_the_marked_leaf(void **state)
{
	static union kvm_cpuid_table t;
	struct kvm_cpuid_entry2 *sev = &t.head.entries[1];

	(void)state;
	assert_int_equal(snp_vm_create(), 0);
	for (unsigned i = 0; i < 2; i++) {
		memset(&t, 0, sizeof(t));
		t.head.nent = 2;
		t.head.entries[0] = (struct kvm_cpuid_entry2){ .function = 1, .eax = 1 };
		*sev = (struct kvm_cpuid_entry2){ .function = 0x8000001F, .ebx = SNP_C_BIT };
		assert_int_equal(sm.vm.tee->adjust_cpuid(&sm.vm, &t, &sm.e), 0);
		assert_int_equal(sev->eax, 0x1A); /* SEV, SEV-ES, SNP */
	}
	sev->ebx = SNP_C_BIT - 4;
	assert_int_equal(sm.vm.tee->adjust_cpuid(&sm.vm, &t, &sm.e), -EX_HOST);
	assert_non_null(strstr(sm.e.text, "C-bit is bit 47, the plan was made for bit 51"));
}

static void a_missing_dev_sev_is_named(void **state)
{
	(void)state;
	sm.config.sev = -1;
	assert_int_equal(snp_vm_all(), -EX_USAGE_ERROR);
	assert_non_null(strstr(sm.e.text, "/dev/sev"));
}

/* Of any number, 0 as well; the model brings psp= instead. */
static void one_descriptor_of_the_platform_is_enough(void **state)
{
	static const struct {
		int sev, psp;
	} cases[] = { { 0, -1 }, { -1, 0 }, { -1, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		sm.config.sev = cases[i].sev;
		sm.config.psp = cases[i].psp;
		assert_int_equal(snp_vm_all(), 0);
	}
}

/* A staged blob is written by the host: no page that is measured may share its 2 MiB. */
static void staging_beside_private_pages_is_refused(void **state)
{
	(void)state;
	sm.plan.region[6].gpa = 0x1F0000; /* same 2 MiB as the firmware */
	assert_int_equal(snp_vm_all(), -EX_MALFORMED);
	assert_non_null(strstr(sm.e.text, "must be private"));
	assert_int_equal(fake_count("start"), 0);
}

/* --- sentences --- */

struct failure {
	const char *call;
	int rc;
	uint32_t fw;
	const char *text; /* part of what the user reads */
};

static const struct failure failures[] = {
	{ "create_vm", -EINVAL, 0, "KVM_CREATE_VM(SNP): this host's KVM makes no SNP guests" },
	{ "create_vm", -EBUSY, 0, "end another confidential guest" },
	{ "cap 40 201", -EINVAL, 0, "KVM_ENABLE_CAP: this host's KVM lacks a capability" },
	{ "cap 40 129", -EINVAL, 0, "KVM_ENABLE_CAP" },
	{ "init2", -EBUSY, 0, "KVM_SEV_INIT2: no SEV-ES/SNP address space id is free" },
	{ "init2", -ENOTTY, 0, "SNP is off" },
	{ "init2", -EINVAL, 0, "misc.max" },
	{ "init2", -EPERM, 0, "initialized before" },
	{ "init2", -EBADF, 0, "/dev/sev" },
	{ "init2", -ENODEV, 0, "ccp driver" },
	{ "guest_memfd", -EINVAL, 0, "KVM_CREATE_GUEST_MEMFD" },
	{ "guest_memfd", -ENOMEM, 0, "out of memory" },
	{ "memory", -EINVAL, 0, "KVM_SET_USER_MEMORY_REGION2: the kernel refuses private memory" },
	{ "attributes 40 0 ", -EINVAL, 0, "KVM_SET_MEMORY_ATTRIBUTES: the kernel refuses" },
	{ "attributes 40 0x8000000", -ENOMEM, 0, "out of memory" },
	{ "start", -ENOTTY, SEV_FW_NONE, "could not make a guest context" },
	{ "start", -EINVAL, 0, "refuses the guest policy" },
	{ "start", -EIO, 0x07, "0x7: POLICY_FAILURE" },
	{ "start", -EIO, 0x03, "INVALID_CONFIG" },
	{ "start", -EIO, 0x01, "enable SNP in the BIOS" },
	{ "start", -EIO, 0x0D, "minimum SEV non-ES ASID" },
	{ "start", -EIO, 0x13, "hardware error" },
	{ "start", -EIO, 0x20, "RMP coverage" },
	{ "start", -EIO, 0x77, "0x77: unknown" },
	{ "start", -EBUSY, 0, "does not answer" },
	{ "update 1", -EINVAL, 0, "SNP_LAUNCH_UPDATE: the kernel refuses a page" },
	{ "update 1", -EIO, 0x02, "out of order" },
	{ "update 1", -EIO, 0x1A, "INVALID_PAGE_STATE" },
	{ "update 1", -EIO, 0, "without word of the firmware" },
	{ "update 6", -EIO, 0x16, "refuses a value of the CPUID page" },
	{ "update 1", -EFAULT, 0, "could not read our memory" },
	{ "finish", -EIO, 0x0B, "the launch digest is not the one the ID block expects" },
	{ "finish", -EIO, 0x0A, "a signature of the ID block does not hold" },
	{ "finish", -EIO, 0x07, "the ID block's policy is not the plan's" },
	{ "finish", -EIO, 0x16, "algorithms must be 1" },
	{ "finish", -EINVAL, 0, "a vCPU is not in the state" },
	{ "finish", -EXDEV, 0, "not a known answer of this step" },
	{ "irqchip", -EINVAL, 0, "kvm: refused" },
	{ "get_sregs 50", -EINVAL, 0, "kvm: refused" },
	{ "sregs 50", -EINVAL, 0, "kvm: refused" },
	{ "regs 50", -EINVAL, 0, "kvm: refused" },
	{ "msr 50", -EINVAL, 0, "kvm: refused" },
};

/* The host's fault, but for what the owner of the guest signed. */
static int blamed(bool finish, int rc, uint32_t fw)
{
	if (!finish || rc != -EIO)
		return EX_HOST;
	return fw == 0x0A || fw == 0x0B ? EX_UNAUTHENTIC : fw == 0x16 ? EX_MALFORMED : EX_HOST;
}

static void every_failure_becomes_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct failure *f = &failures[i];

		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		disturb(f->call, 9999, f->rc, f->fw, 0);
		assert_int_equal(snp_vm_all(),
				 -blamed(strcmp(f->call, "finish") == 0, f->rc, f->fw));
		if (!strstr(sm.e.text, f->text))
			fail_msg("%s: %s", f->call, sm.e.text);
		if (strcmp(f->text, "kvm: refused") != 0)
			assert_non_null(strstr(sm.e.text, strerror(-f->rc)));
		assert_int_equal(fake_count("finish"), strcmp(f->call, "finish") == 0);
		assert_int_equal(strstr(sm.e.text, "; firmware ") != NULL, f->fw != 0);
	}
}

static void no_sentence_is_cut(void **state)
{
	(void)state;
	for (int step = 0; step < SNP_STEPS; step++)
		for (int errnum = 1; errnum < 134; errnum++)
			for (uint32_t fw = 0; fw < 0x29; fw++) {
				struct err e = { 0 };

				snp_error((enum snp_step)step, -errnum,
					  fw == 0x28 ? SEV_FW_NONE : fw, &e);
				assert_true(strlen(e.text) < sizeof(e.text) - 1);
				assert_int_equal(e.text[strlen(e.text) - 1], ')');
				assert_int_equal(e.status,
						 blamed(step == SNP_LAUNCH_FINISH, -errnum, fw));
			}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_call_comes_in_its_order),
		TEST(memory_above_the_hole_is_private_too),
		TEST(only_staged_data_is_in_shared_memory),
		TEST(the_start_state_is_complete),
		TEST(signals_come_back_after_the_launch),
		TEST(launch_update_is_tried_again_within_bounds),
		TEST(a_page_that_is_not_private_is_not_tried_again),
		TEST(a_corrected_cpuid_page_is_logged_and_taken_once),
		TEST(a_cpuid_page_refused_twice_ends_the_launch),
		TEST(progress_starts_the_count_again),
		TEST(a_cpuid_page_needs_a_vcpus_cpuid),
		TEST(regions_of_other_guests_are_refused),
		TEST(a_failed_finish_is_final),
		TEST(hosts_without_snp_are_refused_before_anything_is_made),
		TEST(sev_features_are_asked_for_without_bit_zero),
		TEST(the_backend_is_one_of_a_confidential_guest),
		TEST(every_vcpu_gets_the_marked_leaf),
		TEST(a_missing_dev_sev_is_named),
		TEST(one_descriptor_of_the_platform_is_enough),
		TEST(staging_beside_private_pages_is_refused),
		TEST(every_failure_becomes_a_sentence),
		TEST(no_sentence_is_cut),
	};

	return cmocka_run_group_tests_name("snp_launch", tests, NULL, NULL);
}
