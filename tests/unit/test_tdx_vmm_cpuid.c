/* CPUID of a trust domain: what is chosen, what KVM is told, and what is made of the module's
 * answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tdx_vm.h"

#include <string.h>

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

/* cloud-hypervisor#8540, pitfall "caps loop": KVM does not say how many entries it has, and wants
 * the rest of the structure zero each time. */
static void capabilities_are_asked_for_with_more_room(void **state)
{
	static const struct { uint32_t leaves; unsigned calls; } cases[] = {
		{ 18, 1 }, { 32, 1 }, { 33, 2 }, { 65, 3 }, { 129, 4 }, { 256, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		again(1);
		memset(&tm.vm.tdx, 0xFF, sizeof(tm.vm.tdx));
		fake_tdx.leaves = cases[i].leaves;
		assert_int_equal(tdx_vm_all(), 0);
		assert_null(strstr(fake.trace, "dirty"));
		assert_int_equal(fake_count("capabilities"), cases[i].calls);
		assert_int_equal(fake_tdx.init.head.nent, cases[i].leaves);
	}
	again(1);
	fake_tdx.leaves = 257;
	assert_int_equal(tdx_vm_all(), -EX_HOST);
	assert_int_equal(fake_count("capabilities"), 4);
	assert_non_null(strstr(tm.e.text, "more configurable CPUID leaves than 256"));
}

/* pitfall "unfiltered CPUID" */
static void only_bits_that_may_be_chosen_are_chosen(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_create(), 0);
	for (unsigned i = 0; i < fake_tdx.leaves; i++) {
		const struct kvm_cpuid_entry2 *c = &fake_tdx.init.cpuid[i];
		const struct kvm_cpuid_entry2 *m = &fake_tdx.mask[i];

		assert_int_equal(c->function, m->function);
		assert_int_equal(c->index, m->index);
		assert_int_equal(c->flags, m->flags);
		assert_int_equal(c->eax & ~m->eax, 0);
		assert_int_equal(c->ebx & ~m->ebx, 0);
		assert_int_equal(c->ecx & ~m->ecx, 0);
		assert_int_equal(c->edx & ~m->edx, 0);
	}
	assert_int_equal(fake_tdx.init.cpuid[0].ecx, 0x31044D88);
	assert_int_equal(fake_tdx.init.cpuid[3].eax, 0x22); /* sub-leaf 0, not 1 */
	/* KVM refuses HLE, RTM and WAITPKG whatever the masks say. */
	assert_int_equal(fake_tdx.init.cpuid[1].ebx, 0xDC2B9B18 & ~(1u << 4 | 1u << 11));
	assert_int_equal(fake_tdx.init.cpuid[1].ecx, 0x02417F65 & ~(1u << 5));
}

/* As for any guest of ours: its own number of processors, a TSC deadline timer, no virtual PMU. */
static void the_machine_is_in_cpuid(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(fake_tdx.init.cpuid[0].ebx, 2 << 16);
	assert_int_equal(fake_tdx.init.cpuid[0].ecx >> 24 & 1, 1);
	assert_int_equal(fake_tdx.init.cpuid[4].function, 0xA);
	assert_int_equal(fake_tdx.init.cpuid[4].eax | fake_tdx.init.cpuid[4].edx, 0);
}

/* pitfall "GPAW=46": the host's MAXPHYADDR is no width of guest addresses. */
static void guest_addresses_have_48_bits(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(fake_tdx.init.cpuid[2].eax, 48 << 16 | 48);
	again(1);
	fake_tdx.mask[2].eax = 0; /* an older module: KVM's own field alone */
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(fake_tdx.init.cpuid[2].eax, 48 << 16);
	again(1);
	fake_tdx.mask[2].function = 0x80000009;
	assert_int_equal(tdx_vm_create(), -EX_HOST);
	assert_non_null(strstr(tm.e.text, "the width of guest addresses cannot be chosen"));
	again(1);
	tm.plan.tdx.gpaw = 52;
	assert_int_equal(tdx_vm_create(), -EX_MALFORMED);
	assert_non_null(strstr(tm.e.text, "guest addresses of 52 bits, not 48"));
	assert_int_equal(fake_count("cap "), 0);
}

/* pitfall "MAXPHYADDR < GPAW": KVM then refuses every MapGPA. And no INIT_VCPU without x2APIC. */
static void kvm_believes_in_48_bits_and_x2apic(void **state)
{
	const struct kvm_cpuid_entry2 *e = fake_set.head.entries;

	(void)state;
	fake_supported.head.entries[0].ecx &= ~(1u << 21);
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(fake_set.head.nent, 6);
	assert_int_equal(e[0].ecx >> 21 & 1, 1);
	assert_int_equal(e[0].ebx >> 24, 1); /* APIC id of the second one */
	assert_int_equal(e[5].eax & 0xFF, 48);
	assert_int_equal(e[5].eax >> 16 & 0xFF, 48);
	again(1);
	fake_supported.head.entries[5].function = 0x80000007;
	assert_int_equal(tdx_vm_all(), -EX_HOST);
	assert_non_null(strstr(tm.e.text, "no CPUID leaf 0x80000008"));
}

/* --- what the module made of our wishes --- */

static void show_what_was_asked(void)
{
	fake_shown.head.nent = fake_tdx.leaves;
	memcpy(fake_shown.head.entries, fake_tdx.init.cpuid,
	       fake_tdx.leaves * sizeof(fake_tdx.init.cpuid[0]));
	fake_shown.head.entries[0].ecx |= 1u << 21;
}

static void values_the_module_changes_are_logged(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(tdx_vm_vcpus(), 0);
	show_what_was_asked();
	fake_shown.head.entries[0].ecx &= ~0x80u; /* may be chosen */
	fake_shown.head.entries[0].edx |= 1;      /* may not: the module's business */
	assert_int_equal(tdx_vm_launch(), 0);
	assert_non_null(strstr(tdx_vm_log(), "CPUID 1.0 ECX: the module shows 31044d08, not "
					     "31044d88"));
	assert_null(strstr(tdx_vm_log(), "EDX"));
}

static void other_addresses_than_asked_for_end_the_launch(void **state)
{
	(void)state;
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(tdx_vm_vcpus(), 0);
	show_what_was_asked();
	fake_shown.head.entries[2].eax = 52 << 16 | 52;
	assert_int_equal(tdx_vm_launch(), -EX_HOST);
	assert_non_null(strstr(tm.e.text, "guest addresses of 52 bits, asked for 48"));
	assert_int_equal(fake_count("region"), 0);
	memset(&tm.e, 0, sizeof(tm.e));
	show_what_was_asked();
	fake_shown.head.entries[0].ecx = 0;
	assert_int_equal(tdx_vm_launch(), -EX_HOST);
	assert_non_null(strstr(tm.e.text, "no x2APIC"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(capabilities_are_asked_for_with_more_room),
		TEST(only_bits_that_may_be_chosen_are_chosen),
		TEST(the_machine_is_in_cpuid),
		TEST(guest_addresses_have_48_bits),
		TEST(kvm_believes_in_48_bits_and_x2apic),
		TEST(values_the_module_changes_are_logged),
		TEST(other_addresses_than_asked_for_end_the_launch),
	};

	return cmocka_run_group_tests_name("tdx_vmm_cpuid", tests, NULL, NULL);
}
