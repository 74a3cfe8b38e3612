/* The launch of a trust domain: which calls in which order, and what becomes of the plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tdx_vm.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/tee.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY (160ull << 20)

static int begin(void **state)
{
	(void)state;
	tdx_vm_begin(MEMORY, 2, true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	tdx_vm_end();
	return 0;
}

static void again(unsigned cpus)
{
	tdx_vm_end();
	tdx_vm_begin(MEMORY, cpus, false);
}

static void disturb(const char *call, unsigned times, int rc, uint64_t hw, int pages)
{
	fake.script[0] = (struct fake_answer){ call, times, rc, hw, pages, false };
}

static void every_call_comes_in_its_order(void **state)
{
	static const char expected[] =
		"create_td 8\n"
		"capabilities 60 32\n"
		"cap 60 201 0x1000\n"
		"irqchip 60 24\n"
		"cap 60 129 0x3\n"
		"cap 60 237 0x28\n"
		"get_tsc 60\n"
		"tsc 60 2100000\n"
		"init_vm 60 0x10000000 0xe7 18\n"
		"guest_memfd 60 0xa000000\n"
		"memory 60 0 0 0xa000000 host 41 0\n"
		"attributes 60 0 0xa000000 0x8\n"
		"guest_memfd 60 0x1000\n"
		"memory 60 1 0xfffff000 0x1000 host 41 0\n"
		"attributes 60 0xfffff000 0x1000 0x8\n"
		"attributes 60 0x181000 0x1000 0\n"
		"attributes 60 0x8000000 0x200000 0\n"
		"attributes 60 0x8200000 0x400000 0\n"
		"irqfd 60 24\n"
		"vcpu 60 0\n"
		"cpuid 270 6\n"
		"vcpu 60 1\n"
		"cpuid 271 6\n"
		"init_vcpu 270 0\n"
		"init_vcpu 271 0\n"
		"get_cpuid 270 256\n"
		"region 270 0x100000 2 measured\n"
		"region 270 0x110000 112\n"
		"region 270 0x180000 1 measured\n"
		"region 270 0x186000 1 measured\n"
		"region 270 0xfffff000 1 measured\n"
		"finalize 60\n";

	(void)state;
	assert_int_equal(tdx_vm_all(), 0);
	assert_string_equal(fake.trace, expected);
	assert_false(fake_tdx.signals_seen);
	assert_int_equal(tm.vm.pages_added, 117);
}

static const struct fake_page *page_at(uint64_t gpa)
{
	for (unsigned i = 0; i < fake_tdx.pages; i++)
		if (fake_tdx.page[i].gpa == gpa)
			return &fake_tdx.page[i];
	fail_msg("no page at %#llx", (unsigned long long)gpa);
	return &fake_tdx.page[0];
}

/* docs/PROTOCOL.plan: all is measured but the zero memory, whose contents the firmware checks. */
static void pages_hold_the_plans_bytes(void **state)
{
	static const struct {
		uint64_t gpa;
		bool measured;
		uint8_t first, last;
	} want[] = {
		{ FW_IMAGE, true, 0x11, 0x11 },
		{ FW_IMAGE + 0x1000, true, 0x11, 0 }, /* padded with zeros */
		{ FW_SCRATCH, false, 0, 0 },
		{ FW_SCRATCH + FW_SCRATCH_SIZE - 0x1000, false, 0, 0 },
		{ FW_HASH_PAGE, true, 0x22, 0x22 },
		{ FW_MAILBOX, true, 0, 0 },
		{ FW_RESET_PAGE, true, 0x55, 0x55 },
	};

	(void)state;
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(fake_tdx.pages, 117);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct fake_page *p = page_at(want[i].gpa);

		assert_int_equal(p->measured, want[i].measured);
		assert_int_equal(p->bytes[0], want[i].first);
		assert_int_equal(p->bytes[4095], want[i].last);
	}
}

static void only_staged_data_is_in_shared_memory(void **state)
{
	struct private_memory *m = &tm.vm.private_memory;
	uint8_t byte;

	(void)state;
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(gpa_read(&tm.vm.memory, FW_HASH_PAGE, &byte, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(gpa_read(&tm.vm.memory, FW_BOOT_BLOCK, &byte, 1), 0);
	assert_int_equal(byte, 'P');
	assert_int_equal(gpa_read(&tm.vm.memory, FW_STAGING + 8999, &byte, 1), 0);
	assert_int_equal(byte, 0x44);
	assert_true(private_memory_is_shared(m, FW_BOOT_BLOCK));
	assert_true(private_memory_is_shared(m, FW_STAGING + 0x5FF000));
	assert_false(private_memory_is_shared(m, FW_STAGING + 0x600000));
	assert_false(private_memory_is_shared(m, FW_MAILBOX));
	assert_false(private_memory_is_shared(m, 0));
	assert_false(private_memory_is_shared(m, FW_RESET_PAGE));
}

/* cloud-hypervisor's port, pitfall "missing PRIVATE attribute"; libkrun#243. */
static void all_memory_is_private_before_a_page_is_added(void **state)
{
	const char *ram, *reset, *first;

	(void)state;
	tdx_vm_end();
	tdx_vm_begin((3ull << 30) + (64u << 20), 1, false);
	assert_int_equal(tdx_vm_all(), 0);
	ram = strstr(fake.trace, "attributes 60 0 0xc0000000 0x8");
	reset = strstr(fake.trace, "attributes 60 0xfffff000 0x1000 0x8");
	first = strstr(fake.trace, "region ");
	assert_non_null(ram);
	assert_non_null(reset);
	assert_true(first > ram && first > reset);
	assert_int_equal(fake_count("attributes 60 0x100000000 0x4000000 0x8"), 1);
	assert_int_equal(fake_count("memory 60 2 0xfffff000"), 1);
}

static void the_td_is_what_plan_and_owner_say(void **state)
{
	const struct uapi_tdx_init_vm *i = &fake_tdx.init.head;

	(void)state;
	memset(&tm.vm.tdx, 0xFF, sizeof(tm.vm.tdx));
	fake_tdx.mask[0].ebx = ~0u;
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(fake_tdx.init.cpuid[0].ebx >> 24, 0); /* local APIC id: that of vCPU 0 */
	assert_true(i->attributes == PLAN_TDX_ATTRIBUTES);
	assert_true(i->xfam == PLAN_TDX_XFAM);
	assert_memory_equal(i->mrconfigid, tm.config.mrconfigid, 48);
	assert_memory_equal(i->mrowner, tm.config.mrowner, 48);
	assert_memory_equal(i->mrownerconfig, tm.config.mrownerconfig, 48);
	for (unsigned k = 0; k < 12; k++)
		assert_true(i->reserved[k] == 0);
	assert_int_equal(i->padding, 0);
}

/* pitfall "xfam 0", and features or attributes that a host lacks */
static void wishes_beyond_the_host_are_named(void **state)
{
	static const struct {
		uint64_t attributes, xfam, has_attributes, has_xfam;
		const char *text;
	} cases[] = {
		{ PLAN_TDX_ATTRIBUTES, 0, PLAN_TDX_ATTRIBUTES, 0xE7, "(xfam) 0, but" },
		{ PLAN_TDX_ATTRIBUTES, 0xE7, PLAN_TDX_ATTRIBUTES, 7, "(xfam) 0xe7, but this host's "
		  "trust domains may have 0x7: measure with fewer" },
		{ PLAN_TDX_ATTRIBUTES, 7, 0, 7, "attributes 0x10000000, but this host's trust "
		  "domains may have 0" },
		{ PLAN_TDX_ATTRIBUTES | 1, 7, PLAN_TDX_ATTRIBUTES, 7, "attributes 0x10000001" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		again(1);
		tm.plan.tdx.attributes = cases[i].attributes;
		tm.plan.tdx.xfam = cases[i].xfam;
		fake_tdx.attributes = cases[i].has_attributes;
		fake_tdx.xfam = cases[i].has_xfam;
		assert_int_equal(tdx_vm_all(), -EX_HOST);
		if (!strstr(tm.e.text, cases[i].text))
			fail_msg("%s", tm.e.text);
		assert_int_equal(fake_count("cap "), 0);
	}
}

/* Linux's calibration may be off by some kHz in either direction. */
static void the_tsc_is_rounded_to_the_nearest_unit(void **state)
{
	static const struct {
		uint64_t host;
		const char *set;
	} cases[] = {
		{ 2100000, "tsc 60 2100000\n" }, { 2100002, "tsc 60 2100000\n" },
		{ 2087500, "tsc 60 2100000\n" }, { 2087499, "tsc 60 2075000\n" },
		{ 2112499, "tsc 60 2100000\n" }, { 2112500, "tsc 60 2125000\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		again(1);
		fake_tdx.tsc_khz = cases[i].host;
		assert_int_equal(tdx_vm_all(), 0);
		assert_int_equal(fake_count(cases[i].set), 1);
	}
}

static void the_backend_is_one_of_a_confidential_guest(void **state)
{
	(void)state;
	assert_true(tee_tdx.confidential);
	assert_true(tee_tdx.owns_start_state);
}

static void large_regions_have_all_their_pages(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(tdx_vm_vcpus(), 0);
	tm.plan.region[1].size = 16u << 20;
	assert_int_equal(tdx_vm_launch(), 0);
	assert_int_equal(fake_count("region 270 0x110000 4096\n"), 1);
}

/* pitfall "CPUID surprise": what the module changed is said, but not without end. */
static void differences_of_cpuid_are_logged_within_bounds(void **state)
{
	const char *first;
	unsigned lines = 0;

	(void)state;
	fake_tdx.leaves = 60;
	for (unsigned i = 0; i < fake_tdx.leaves; i++)
		fake_tdx.mask[i].eax = fake_tdx.mask[i].edx = ~0u;
	assert_int_equal(tdx_vm_create(), 0);
	fake_shown.head.nent = fake_tdx.leaves;
	for (unsigned i = 0; i < fake_tdx.leaves; i++) {
		struct kvm_cpuid_entry2 *shown = &fake_shown.head.entries[i];

		*shown = fake_tdx.init.cpuid[i];
		shown->eax ^= i == 5;
		shown->edx ^= i >= 5;
		shown->ecx |= shown->function == 1 ? 1u << 21 : 0;
	}
	assert_int_equal(tdx_vm_vcpus(), 0);
	assert_int_equal(tdx_vm_launch(), 0);
	for (const char *at = tdx_vm_log(); (at = strstr(at, "the module shows")); at++)
		lines++;
	assert_int_equal(lines, 32);
	first = strstr(tdx_vm_log(), "CPUID 1005.0 EAX: the module shows 00000001, not 0");
	assert_non_null(first);
	assert_null(strstr(first + 1, "CPUID 1005.0 EAX"));
	assert_non_null(strstr(tdx_vm_log(), "CPUID 1005.0 EDX: the module shows 00000001, not 0"));
}

static void a_guest_with_other_addresses_is_not_launched(void **state)
{
	(void)state;
	fake_shown.head.nent = 1;
	fake_shown.head.entries[0] =
		(struct kvm_cpuid_entry2){ .function = 0x80000008, .eax = 52 << 16 };
	assert_int_equal(tdx_vm_all(), -EX_HOST);
	assert_non_null(strstr(tm.e.text, "guest addresses of 52 bits"));
	assert_int_equal(fake_count("region"), 0);
}

static void zeros_are_unmapped_again(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(msync((void *)(uintptr_t)page_at(FW_SCRATCH)->source, 4096, MS_ASYNC), -1);
	assert_int_equal(errno, ENOMEM);
}

static void zeros_without_an_end_are_refused(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(tdx_vm_vcpus(), 0);
	tm.plan.region[1].size = 1ull << 60;
	assert_int_equal(tdx_vm_launch(), -EX_HOST);
	assert_non_null(strstr(tm.e.text, "launch: cannot map 1152921504606846976 bytes of zeros"));
	assert_int_equal(fake_count("finalize"), 0);
}

static void regions_of_other_guests_are_refused(void **state)
{
	static const enum plan_region_type types[] = { PLAN_CPUID_PAGE, PLAN_SECRETS_PAGE };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		again(1);
		assert_int_equal(tdx_vm_create(), 0);
		assert_int_equal(tdx_vm_vcpus(), 0);
		tm.plan.region[2].type = types[i];
		assert_int_equal(tdx_vm_launch(), -EX_INTERNAL);
		assert_non_null(strstr(tm.e.text, "is not TDX's"));
		assert_int_equal(fake_count("finalize"), 0);
	}
}

/* pitfall "LAPIC set": KVM refuses registers, MSRs and local APIC of a TD. */
static void no_register_is_ever_touched(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(fake_count("regs") + fake_count("sregs") + fake_count("msr"), 0);
}

/* pitfall "MMIO HOB storm": there is no HOB, so RCX and R8 of a vCPU are zero. */
static void no_hob_is_passed(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(fake_count("init_vcpu 270 0\n") + fake_count("init_vcpu 271 0\n"), 2);
}

/* pitfall "hypercall cap missing": MapGPA would fail without a word. */
static void conversions_are_switched_on_or_refused(void **state)
{
	(void)state;
	disturb("cap 60 201", 1, -EINVAL, 0, 0);
	assert_int_equal(tdx_vm_all(), -EX_HOST);
	assert_non_null(strstr(tm.e.text, "KVM_ENABLE_CAP"));
	assert_int_equal(fake_count("init_vm"), 0);
}

static void hosts_without_tdx_are_refused_before_anything_is_made(void **state)
{
	static const struct {
		unsigned types, hypercalls, attributes, gmem;
		const char *text;
	} hosts[] = {
		{ 0, 0, 0, 0, "/dev/kvm: no TDX" },
		{ 0x1F, 0x1000, 8, 1, "/dev/kvm: no TDX: VM types 0x1f lack bit 5" },
		{ 0x21, 0x1000, 8, 0, "/dev/kvm: no private memory" },
		{ 0x21, 0x1000, 7, 1, "/dev/kvm: no private memory" },
		{ 0x21, 0xFFF, 8, 1, "/dev/kvm: guests cannot ask to share memory" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		again(1);
		fake.types = hosts[i].types;
		fake.hypercalls = hosts[i].hypercalls;
		fake.attributes = hosts[i].attributes;
		fake.gmem = hosts[i].gmem;
		assert_int_equal(tdx_vm_all(), -EX_HOST);
		assert_non_null(strstr(tm.e.text, hosts[i].text));
		assert_int_equal(fake.used, 0);
	}
}

/* --- plan and arguments --- */

static void the_reset_page_lies_outside_the_boot_blocks_ram(void **state)
{
	struct fw_boot_block block = { .ram_count = 2, .ram = { { 0, 0xA0000 },
				       { 0x100000, MEMORY - 0x100000 } } };

	(void)state;
	assert_int_equal(tee_check_plan(&tm.vm, &tm.plan, &block, &tm.e), 0);
	tm.plan.region[4].gpa = FW_RESET_PAGE - 0x1000;
	assert_int_equal(tee_check_plan(&tm.vm, &tm.plan, &block, &tm.e), -EX_MALFORMED);
	memset(&tm.e, 0, sizeof(tm.e));
	tm.plan.region[4] = (struct plan_region){ PLAN_HASH_PAGE, FW_RESET_PAGE, 4096, NULL };
	assert_int_equal(tee_check_plan(&tm.vm, &tm.plan, &block, &tm.e), -EX_MALFORMED);
}

static void arguments_of_other_kinds_are_refused(void **state)
{
	struct config c = tm.config;

	(void)state;
	assert_int_equal(tee_check_config(PLAN_TEE_TDX, &c, &tm.e), 0);
	c.sev = 5;
	assert_int_equal(tee_check_config(PLAN_TEE_TDX, &c, &tm.e), -EX_USAGE_ERROR);
	c = tm.config;
	memset(&tm.e, 0, sizeof(tm.e));
	assert_int_equal(tee_check_config(PLAN_TEE_SNP, &c, &tm.e), -EX_USAGE_ERROR);
	assert_non_null(strstr(tm.e.text, "quote="));
	c.quote = -1;
	c.has_mr = true;
	assert_int_equal(tee_check_config(PLAN_TEE_PLAIN, &c, &tm.e), -EX_USAGE_ERROR);
	c.has_mr = false;
	memset(&tm.e, 0, sizeof(tm.e));
	assert_int_equal(tee_check_config(PLAN_TEE_PLAIN, &c, &tm.e), 0);
}

static void more_processors_than_the_host_has_are_refused(void **state)
{
	(void)state;
	fake.max_vcpus = 1;
	assert_int_equal(tdx_vm_all(), -EX_HOST);
	assert_non_null(strstr(tm.e.text, "at most as many as this host: 1"));
	assert_int_equal(fake_count("capabilities"), 0);
}

static void a_kernel_that_does_not_say_how_many_is_believed(void **state)
{
	static const int answers[] = { 0, -1, 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		again(2);
		fake.max_vcpus = (unsigned)answers[i];
		assert_int_equal(tdx_vm_all(), 0);
	}
}

static void staging_beside_private_pages_is_refused(void **state)
{
	(void)state;
	tm.plan.region[6].gpa = 0x1F0000; /* same 2 MiB as the firmware */
	assert_int_equal(tdx_vm_all(), -EX_MALFORMED);
	assert_int_equal(fake_count("region"), 0);
}

static void a_guest_without_a_relay_needs_no_interrupt(void **state)
{
	(void)state;
	again(1);
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(fake_count("irqfd"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_call_comes_in_its_order),
		TEST(pages_hold_the_plans_bytes),
		TEST(only_staged_data_is_in_shared_memory),
		TEST(all_memory_is_private_before_a_page_is_added),
		TEST(the_td_is_what_plan_and_owner_say),
		TEST(wishes_beyond_the_host_are_named),
		TEST(the_tsc_is_rounded_to_the_nearest_unit),
		TEST(the_backend_is_one_of_a_confidential_guest),
		TEST(large_regions_have_all_their_pages),
		TEST(differences_of_cpuid_are_logged_within_bounds),
		TEST(a_guest_with_other_addresses_is_not_launched),
		TEST(zeros_are_unmapped_again),
		TEST(zeros_without_an_end_are_refused),
		TEST(regions_of_other_guests_are_refused),
		TEST(no_register_is_ever_touched),
		TEST(no_hob_is_passed),
		TEST(conversions_are_switched_on_or_refused),
		TEST(hosts_without_tdx_are_refused_before_anything_is_made),
		TEST(the_reset_page_lies_outside_the_boot_blocks_ram),
		TEST(arguments_of_other_kinds_are_refused),
		TEST(more_processors_than_the_host_has_are_refused),
		TEST(a_kernel_that_does_not_say_how_many_is_believed),
		TEST(staging_beside_private_pages_is_refused),
		TEST(a_guest_without_a_relay_needs_no_interrupt),
	};

	return cmocka_run_group_tests_name("tdx_vmm_launch", tests, NULL, NULL);
}
