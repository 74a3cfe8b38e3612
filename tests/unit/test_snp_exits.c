/* What an SEV-SNP guest may do to its memory at run time, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/record.h"
#include "tests/unit/snp_vm.h"
#include "vmm/tee/snp_exits.h"
#include "vmm/tee/private_exits.h"
#include "vmm/tee/private_memory.h"

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
	snp_vm_begin(MEMORY, 2);
	assert_int_equal(snp_vm_create(), 0);
	v = &sm.vm.vcpu[0];
	fake.used = 0;
	fake.trace[0] = '\0';
	return 0;
}

static int end(void **state)
{
	(void)state;
	snp_vm_end();
	return 0;
}

static uint64_t hypercall(uint64_t nr, uint64_t gpa, uint64_t pages, uint64_t attributes)
{
	struct kvm_run *run = v->run;

	memset(run, 0, sizeof(*run));
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = nr;
	run->hypercall.args[0] = gpa;
	run->hypercall.args[1] = pages;
	run->hypercall.args[2] = attributes;
	run->hypercall.ret = 0xDEAD;
	assert_true(snp_exit(v, 0));
	return run->hypercall.ret;
}

static uint64_t map_gpa(uint64_t gpa, uint64_t pages, uint64_t attributes)
{
	return hypercall(UAPI_HC_MAP_GPA_RANGE, gpa, pages, attributes);
}

static uint8_t byte_at(uint64_t gpa)
{
	uint8_t byte = 0;

	assert_int_equal(gpa_read(&sm.vm.memory, gpa, &byte, 1), 0);
	return byte;
}

static void to_shared_frees_the_private_side_after_the_attribute(void **state)
{
	(void)state;
	assert_int_equal(map_gpa(0x400000, 3, 0), 0);
	assert_string_equal(fake.trace, "attributes 40 0x400000 0x3000 0\n"
					"discard private 41 0x400000 0x3000\n");
	assert_false(private_memory_is_shared(&sm.vm.private_memory, 0x3FF000));
	assert_true(private_memory_is_shared(&sm.vm.private_memory, 0x400000));
	assert_true(private_memory_is_shared(&sm.vm.private_memory, 0x402FFF));
	assert_false(private_memory_is_shared(&sm.vm.private_memory, 0x403000));
}

static bool attribute_was_first;

static void look_at_ram(void)
{
	attribute_was_first = byte_at(0x400000) == 0x77;
}

static void to_private_frees_the_shared_side_after_the_attribute(void **state)
{
	const uint8_t byte = 0x77;

	(void)state;
	assert_int_equal(map_gpa(0x400000, 2, 0), 0);
	gpa_write(&sm.vm.memory, 0x400000, &byte, 1);
	gpa_write(&sm.vm.memory, 0x401FFF, &byte, 1);
	gpa_write(&sm.vm.memory, 0x402000, &byte, 1);
	fake.on_attributes = look_at_ram;
	assert_int_equal(map_gpa(0x400000, 2, PRIVATE), 0);
	assert_true(attribute_was_first);
	assert_int_equal(byte_at(0x400000), 0);
	assert_int_equal(byte_at(0x401FFF), 0);
	assert_int_equal(byte_at(0x402000), 0x77);
	assert_int_equal(fake_count("attributes 40 0x400000 0x2000 0x8\n"), 1);
	assert_false(private_memory_is_shared(&sm.vm.private_memory, 0x400000));
}

static void the_last_page_of_ram_can_be_shared(void **state)
{
	(void)state;
	assert_int_equal(map_gpa(HIGH + (64u << 20) - 4096, 1, 0), 0);
	assert_int_equal(map_gpa(3 * GIB - 8192, 2, 0), 0);
	assert_true(private_memory_is_shared(&sm.vm.private_memory, 3 * GIB - 1));
}

static void high_memory_lies_lower_in_the_backing(void **state)
{
	(void)state;
	assert_int_equal(map_gpa(HIGH + 0x1000, 1, 0), 0);
	assert_string_equal(fake.trace, "attributes 40 0x100001000 0x1000 0\n"
					"discard private 41 0xc0001000 0x1000\n");
	assert_true(private_memory_is_shared(&sm.vm.private_memory, HIGH + 0x1000));
	assert_false(private_memory_is_shared(&sm.vm.private_memory, HIGH));
	assert_false(private_memory_is_shared(&sm.vm.private_memory, 0x1000));
}

/* Hints of a larger page size change nothing: the count is in 4 KiB pages. */
static void page_size_hints_are_not_believed(void **state)
{
	(void)state;
	assert_int_equal(map_gpa(0x400000, 1, 1), 0);
	assert_int_equal(map_gpa(0x400000, 1, PRIVATE | 2), 0);
	assert_int_equal(fake_count("attributes 40 0x400000 0x1000 0\n"), 1);
	assert_int_equal(fake_count("attributes 40 0x400000 0x1000 0x8\n"), 1);
}

struct hostile {
	const char *what;
	uint64_t gpa, pages, attributes;
};

static const struct hostile hostile[] = {
	{ "unaligned", 0x400800, 1, PRIVATE },
	{ "no pages", 0x400000, 0, PRIVATE },
	{ "size wraps to zero", 0x400000, 1ull << 52, PRIVATE },
	{ "size wraps to a page", 0x400000, (1ull << 52) + 1, PRIVATE },
	{ "end wraps", 0xFFFFFFFFFFFFF000, 2, PRIVATE },
	{ "end wraps to zero", 0xFFFFFFFFFFFFF000, 1, PRIVATE },
	{ "all ones", 0xFFFFFFFFFFFFF000, UINT64_MAX, PRIVATE },
	{ "the hole", 3 * GIB, 1, PRIVATE },
	{ "the IOAPIC", 0xFEC00000, 1, 0 },
	{ "from RAM into the hole", 3 * GIB - 4096, 2, 0 },
	{ "across the hole", 3 * GIB - 4096, 1 + (1 * GIB >> 12) + 1, 0 },
	{ "behind RAM", HIGH + (64u << 20), 1, PRIVATE },
	{ "over the end of RAM", HIGH + (64u << 20) - 4096, 2, PRIVATE },
	{ "the C-bit left in", 0x400000 | 1ull << 51, 1, PRIVATE },
	{ "more than a request can hold", 0x400000, PRIVATE_CONVERT_PAGES_MAX + 1, PRIVATE },
	{ "all of RAM", 0, 3 * GIB >> 12, 0 },
	{ "unknown attribute", 0x400000, 1, 1 << 5 },
	{ "unknown high attribute", 0x400000, 1, 1ull << 63 | PRIVATE },
};

static void hostile_ranges_change_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		const struct hostile *h = &hostile[i];
		uint64_t ret = map_gpa(h->gpa, h->pages, h->attributes);

		if (ret != (uint64_t)-22)
			fail_msg("%s: answered %#llx", h->what, (unsigned long long)ret);
		if (fake.used != 0)
			fail_msg("%s: %s", h->what, fake.trace);
		assert_false(sm.vm.stopping);
	}
}

/* The same sequence in every run (Steele and Vigna's SplitMix64). */
static uint64_t next_number(void)
{
	static uint64_t seed;
	uint64_t z = seed += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

static void random_ranges_never_leave_ram(void **state)
{
	unsigned converted = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t word[3];

		for (unsigned k = 0; k < 3; k++)
			word[k] = next_number();
		word[0] &= 0x1FFFFFFFFull >> (word[2] >> 32) % 8 & ~0xFFFull;
		word[1] >>= 44 + (word[2] >> 40) % 20;
		fake.used = 0;
		fake.trace[0] = '\0';
		if (map_gpa(word[0], word[1], word[2] & 0x1F) != 0) {
			assert_int_equal(fake.used, 0);
			continue;
		}
		assert_true(gpa_is_ram(&sm.vm.memory, word[0], word[1] * 4096));
		assert_true(fake_count("attributes") == (word[1] + 511) / 512);
		converted++;
	}
	assert_in_range(converted, 500, 19500); /* else the test looks at one side only */
}

/* Between chunks of 2 MiB another thread may end the VM. */
static void stop_now(void)
{
	if (fake_count("attributes") == 3)
		atomic_store(&sm.vm.stopping, true);
}

static void work_is_cut_into_chunks(void **state)
{
	(void)state;
	assert_int_equal(map_gpa(0x400000, PRIVATE_CONVERT_PAGES_MAX, 0), 0);
	assert_int_equal(fake_count("attributes"), 253);
	assert_int_equal(fake_count("discard private 41 0x400000 0x200000\n"), 1);
	assert_int_equal(map_gpa(0x401000, 513, 0), 0);
	assert_int_equal(fake_count("attributes 40 0x401000 0x200000 0\n"), 1);
	assert_int_equal(fake_count("attributes 40 0x601000 0x1000 0\n"), 1);
	fake.used = 0;
	fake.trace[0] = '\0';
	fake.on_attributes = stop_now;
	assert_int_equal(map_gpa(0x400000, PRIVATE_CONVERT_PAGES_MAX, 0), (uint64_t)-12);
	assert_int_equal(fake_count("attributes"), 3);
}

static void an_attribute_that_cannot_be_set_changes_no_memory(void **state)
{
	(void)state;
	fake.script[0] = (struct fake_answer){ "attributes", 1, -ENOMEM, 0, 0, false };
	assert_int_equal(map_gpa(0x400000, 1, 0), (uint64_t)-12);
	assert_int_equal(fake_count("discard"), 0);
	assert_false(private_memory_is_shared(&sm.vm.private_memory, 0x400000));
	assert_false(sm.vm.stopping);
	assert_non_null(strstr(snp_vm_log(), "cannot make 1 pages at 0x400000 shared: Cannot "
					     "allocate memory"));
}

static void memory_that_cannot_be_freed_is_no_failure(void **state)
{
	(void)state;
	fake.script[0] = (struct fake_answer){ "discard", 1, -ENOMEM, 0, 0, false };
	assert_int_equal(map_gpa(0x400000, 1, 0), 0);
	assert_true(private_memory_is_shared(&sm.vm.private_memory, 0x400000));
}

static void other_hypercalls_are_unknown(void **state)
{
	(void)state;
	assert_int_equal(hypercall(11, 0x400000, 1, 0), (uint64_t)-1000);
	assert_int_equal(hypercall(UINT64_MAX, 0x400000, 1, 0), (uint64_t)-1000);
	assert_int_equal(fake.used, 0);
}

static bool fault(int rc, uint64_t gpa, uint64_t flags)
{
	const struct uapi_memory_fault f = { flags, gpa, 4096 };

	memset(v->run, 0, sizeof(*v->run));
	v->run->exit_reason = UAPI_EXIT_MEMORY_FAULT;
	memcpy((uint8_t *)v->run + UAPI_RUN_MEMORY_FAULT_OFFSET, &f, sizeof(f));
	return snp_exit(v, rc);
}

static void unasked_conversions_end_the_guest(void **state)
{
	static const struct {
		uint64_t gpa, flags;
	} cases[] = {
		{ 0x400000, 0 },                            /* shared access, page private */
		{ 0x600000, ~UAPI_FAULT_PRIVATE },          /* the same, other bits mean nothing */
		{ FW_STAGING, UAPI_FAULT_PRIVATE },         /* private access, page shared */
		{ FW_BOOT_BLOCK + 8, UAPI_FAULT_PRIVATE },
		{ 3 * GIB, UAPI_FAULT_PRIVATE },            /* no RAM */
		{ 0xFFFFFFFFFFFFFFFF, 0 },
		{ HIGH + (64u << 20), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		atomic_store(&sm.vm.end, 0);
		atomic_store(&sm.vm.stopping, false);
		assert_true(fault(-EFAULT, cases[i].gpa, cases[i].flags));
		assert_int_equal(atomic_load(&sm.vm.end), VM_END_MEMORY_FAULT);
		assert_int_equal(atomic_load(&sm.vm.end_detail), (uint32_t)(cases[i].gpa >> 12));
		assert_int_equal(fake.used, 0);
	}
	assert_non_null(strstr(snp_vm_log(), "shared access to 0x400000"));
	assert_non_null(strstr(snp_vm_log(), "shared access to 0x600000"));
	assert_non_null(strstr(snp_vm_log(), "private access to 0xc0000000: there is no RAM"));
}

static unsigned lines_with(const char *text)
{
	unsigned count = 0;

	for (const char *at = snp_vm_log(); (at = strstr(at, text)); at++)
		count++;
	return count;
}

/* A guest may make as many requests as it likes. */
static void refusals_are_logged_within_bounds(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(map_gpa(3 * GIB, 1, PRIVATE), (uint64_t)-22);
	assert_int_equal(lines_with("vcpu 0: refused to convert 0x1 pages at 0xc0000000 "
				    "(attributes 0x10)"), 16);
}

static void the_last_byte_of_ram_is_ram(void **state)
{
	(void)state;
	assert_true(fault(-EFAULT, HIGH + (64u << 20) - 1, UAPI_FAULT_PRIVATE));
	assert_true(fault(-EFAULT, 3 * GIB - 4096, UAPI_FAULT_PRIVATE));
	assert_int_equal(atomic_load(&sm.vm.end), 0);
	assert_true(fault(-EFAULT, 3 * GIB - 1, 0)); /* and private */
	assert_non_null(strstr(snp_vm_log(), "shared access to 0xbfffffff: the page is of the "
					     "other kind and the guest never asked"));
}

/* What faults while the VM ends is nobody's news. */
static void a_vm_that_ends_is_quiet(void **state)
{
	(void)state;
	atomic_store(&sm.vm.stopping, true);
	assert_true(fault(-EFAULT, 3 * GIB, UAPI_FAULT_PRIVATE));
	assert_false(fault(-EBADF, 0x400000, 0));
	assert_string_equal(snp_vm_log(), "");
}

/* Another vCPU converted the page between the fault and now: run again, but not for ever. */
static void faults_without_cause_are_believed_for_a_while(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++)
		assert_true(fault(-EFAULT, 0x400000, UAPI_FAULT_PRIVATE));
	assert_int_equal(atomic_load(&sm.vm.end), 0);
	assert_int_equal(map_gpa(0x600000, 1, 0), 0); /* the guest got somewhere */
	for (unsigned i = 0; i < 64; i++)
		assert_true(fault(-EFAULT, 0x400000, UAPI_FAULT_PRIVATE));
	assert_int_equal(atomic_load(&sm.vm.end), 0);
	assert_true(fault(-EFAULT, 0x400000, UAPI_FAULT_PRIVATE));
	assert_int_equal(atomic_load(&sm.vm.end), VM_END_MEMORY_FAULT);
	assert_non_null(strstr(snp_vm_log(), "the host gives no memory"));
}

static void damaged_memory_ends_the_guest(void **state)
{
	(void)state;
	assert_true(fault(-EHWPOISON, 0x400000, UAPI_FAULT_PRIVATE));
	assert_int_equal(atomic_load(&sm.vm.end), VM_END_MEMORY_FAULT);
	assert_non_null(strstr(snp_vm_log(), "damaged"));
}

static void other_errors_are_left_to_the_caller(void **state)
{
	(void)state;
	assert_false(fault(-EBADF, 0x400000, 0));
	assert_non_null(strstr(snp_vm_log(), "vcpu 0: KVM_RUN: the guest asked for attestation"));
	assert_false(fault(-EIO, 0x400000, 0));
	assert_non_null(strstr(snp_vm_log(), "the guest asked the security processor"));
	v->run->exit_reason = KVM_EXIT_IO;
	assert_false(snp_exit(v, -EFAULT));
	assert_false(snp_exit(v, 0));
	assert_int_equal(atomic_load(&sm.vm.end), 0);
}

static void terminate(uint64_t msr)
{
	memset(v->run, 0, sizeof(*v->run));
	v->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	v->run->system_event.type = UAPI_SYSTEM_EVENT_SEV_TERM;
	v->run->system_event.ndata = 1;
	v->run->system_event.data[0] = msr;
	atomic_store(&sm.vm.end, 0);
	atomic_store(&sm.vm.stopping, false);
	assert_true(snp_exit(v, 0));
}

static void terminations_are_explained(void **state)
{
	static const struct {
		uint64_t msr;
		uint32_t end, detail;
		const char *text;
	} cases[] = {
		{ 0x100, VM_END_TERMINATED, 0x000, "a general request" },
		{ 0x20100, VM_END_TERMINATED, 0x002, "lacks an SNP feature" },
		{ 0x21100, VM_END_TERMINATED, 0x102, "could not be validated" },
		{ 0x31100, VM_END_TERMINATED, 0x103, "VMPL 0" },
		{ 0xFF2100, VM_END_TERMINATED, 0x2FF, "does not know" },
		{ 0x403100, VM_END_FIRMWARE_STOP, 0x40, "" }, /* our firmware: the kernel's hash */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		terminate(cases[i].msr);
		assert_int_equal(atomic_load(&sm.vm.end), cases[i].end);
		assert_int_equal(atomic_load(&sm.vm.end_detail), cases[i].detail);
		assert_non_null(strstr(snp_vm_log(), cases[i].text));
	}
}

/* Data that KVM did not announce is not looked at. */
static void a_termination_without_data_is_one(void **state)
{
	(void)state;
	v->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	v->run->system_event.type = UAPI_SYSTEM_EVENT_SEV_TERM;
	v->run->system_event.data[0] = 0x403100;
	assert_true(snp_exit(v, 0));
	assert_int_equal(atomic_load(&sm.vm.end), VM_END_TERMINATED);
	assert_int_equal(atomic_load(&sm.vm.end_detail), 0);
	assert_non_null(strstr(snp_vm_log(), "(GHCB 0, set 0, reason 0)"));
}

static void other_system_events_are_left_to_the_caller(void **state)
{
	(void)state;
	v->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	v->run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
	assert_false(snp_exit(v, 0));
}

static void a_refused_entry_says_why(void **state)
{
	(void)state;
	v->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	v->run->fail_entry.hardware_entry_failure_reason = UINT64_MAX;
	assert_true(snp_exit(v, 0));
	assert_int_equal(atomic_load(&sm.vm.end), VM_END_KVM_ERROR);
	assert_int_equal(atomic_load(&sm.vm.end_detail), KVM_EXIT_FAIL_ENTRY);
	assert_non_null(strstr(snp_vm_log(), "refuses to enter"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(to_shared_frees_the_private_side_after_the_attribute),
		TEST(to_private_frees_the_shared_side_after_the_attribute),
		TEST(the_last_page_of_ram_can_be_shared),
		TEST(high_memory_lies_lower_in_the_backing),
		TEST(page_size_hints_are_not_believed),
		TEST(hostile_ranges_change_nothing),
		TEST(random_ranges_never_leave_ram),
		TEST(work_is_cut_into_chunks),
		TEST(an_attribute_that_cannot_be_set_changes_no_memory),
		TEST(memory_that_cannot_be_freed_is_no_failure),
		TEST(other_hypercalls_are_unknown),
		TEST(unasked_conversions_end_the_guest),
		TEST(refusals_are_logged_within_bounds),
		TEST(the_last_byte_of_ram_is_ram),
		TEST(a_vm_that_ends_is_quiet),
		TEST(faults_without_cause_are_believed_for_a_while),
		TEST(damaged_memory_ends_the_guest),
		TEST(other_errors_are_left_to_the_caller),
		TEST(terminations_are_explained),
		TEST(a_termination_without_data_is_one),
		TEST(other_system_events_are_left_to_the_caller),
		TEST(a_refused_entry_says_why),
	};

	return cmocka_run_group_tests_name("snp_exits", tests, NULL, NULL);
}
