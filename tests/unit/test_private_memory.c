/* Private memory of a confidential guest: the book of shared pages, and what a user reads when the
 * kernel refuses a step. Conversions that a guest asks for: test_snp_exits.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/checked_mutex.h"
#include "tests/unit/snp_vm.h"
#include "vmm/tee/private_memory.h"

#include <errno.h>
#include <string.h>

#define MEMORY (160ull << 20)

static struct private_memory *m;

static size_t book_size; /* bytes of the last calloc */
static bool calloc_fails;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	book_size = count * size;
	return calloc_fails ? NULL : __real_calloc(count, size);
}

static int begin(void **state)
{
	(void)state;
	snp_vm_begin(MEMORY, 1);
	m = &sm.vm.private_memory;
	memset(m, 0xFF, sizeof(*m)); /* what a start leaves out shows */
	m->shared = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	snp_vm_end();
	return 0;
}

static void fail_at(const char *call, int rc)
{
	snp_vm_end();
	snp_vm_begin(MEMORY, 1);
	fake.script[0] = (struct fake_answer){ call, 9999, rc, 0, 0, false };
}

static void every_failure_becomes_a_sentence(void **state)
{
	static const struct {
		const char *call;
		int rc;
		const char *text;
	} cases[] = {
		{ "cap", -EINVAL, "KVM_ENABLE_CAP: this host's KVM lacks a capability" },
		{ "cap 40 129", -EINVAL, "KVM_ENABLE_CAP: this host's KVM lacks a capability" },
		{ "cap", -ENOTTY, "KVM_ENABLE_CAP: the kernel does not know this step" },
		{ "guest_memfd", -EINVAL, "MEMFD: the kernel refuses a guest_memfd of this size" },
		{ "guest_memfd", -ENOMEM, "MEMFD: the host is out of memory" },
		{ "memory", -EINVAL, "REGION2: the kernel refuses private memory in a slot" },
		{ "memory", -EEXIST, "REGION2: RAM regions overlap: report it as a bug" },
		{ "memory", -EFAULT, "REGION2: the kernel could not read our memory" },
		{ "attributes", -EINVAL, "ATTRIBUTES: the kernel refuses private memory: use" },
		{ "attributes 40 0x181000", -ENOMEM, "ATTRIBUTES: the host is out of memory" },
		{ "attributes", -EEXIST, "ATTRIBUTES: not a known answer of this step" },
		{ "guest_memfd", -EEXIST, "MEMFD: not a known answer of this step" },
		{ "cap", -EXDEV, "KVM_ENABLE_CAP: not a known answer of this step" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fail_at(cases[i].call, cases[i].rc);
		assert_int_equal(snp_vm_create(), -EX_HOST);
		if (!strstr(sm.e.text, cases[i].text))
			fail_msg("%s\nlacks: %s", sm.e.text, cases[i].text);
		assert_non_null(strstr(sm.e.text, strerror(-cases[i].rc)));
	}
}

static void the_book_has_a_bit_for_each_page(void **state)
{
	(void)state;
	assert_int_equal(snp_vm_create(), 0);
	assert_int_equal(book_size, MEMORY / PRIVATE_PAGE / 8);
	assert_int_equal(private_memory_convert(m, MEMORY - PRIVATE_PAGE, 1, false), 0);
	assert_true(private_memory_is_shared(m, MEMORY - 1));
	assert_false(private_memory_is_shared(m, MEMORY - PRIVATE_PAGE - 1));
}

static void a_book_without_room_is_the_hosts_fault(void **state)
{
	(void)state;
	calloc_fails = true;
	assert_int_equal(snp_vm_create(), -EX_HOST);
	calloc_fails = false;
	assert_non_null(strstr(sm.e.text, "no room for the book of shared pages"));
}

static void a_lock_that_cannot_be_made_is_told(void **state)
{
	(void)state;
	mutex_init_fails = true;
	assert_int_equal(snp_vm_create(), -EX_INTERNAL);
	mutex_init_fails = false;
	assert_string_equal(sm.e.text, "memory: cannot make a lock");
}

static void staging_outside_ram_is_refused(void **state)
{
	(void)state;
	sm.plan.region[6].gpa = 1ull << 40;
	assert_int_equal(snp_vm_create(), -EX_MALFORMED);
	assert_non_null(strstr(sm.e.text, "region 6 at 0x10000000000 does not lie in RAM"));
}

/* Wherever in the plan it stands: the first region counts like the others. */
static void staging_beside_a_private_page_is_refused(void **state)
{
	(void)state;
	sm.plan.region[0].gpa = 0x2000000;
	sm.plan.region[6].gpa = 0x2010000;
	assert_int_equal(snp_vm_create(), -EX_MALFORMED);
	assert_non_null(strstr(sm.e.text, "region 0 at 0x2000000 must be private"));
}

static void the_first_region_can_be_staged(void **state)
{
	const struct plan_region firmware = sm.plan.region[0];

	(void)state;
	sm.plan.region[0] = sm.plan.region[6];
	sm.plan.region[6] = firmware;
	assert_int_equal(snp_vm_create(), 0);
	assert_true(private_memory_all_shared(m, FW_STAGING, 0x200000));
}

static void ranges_are_shared_only_as_a_whole(void **state)
{
	(void)state;
	assert_int_equal(snp_vm_create(), 0);
	assert_int_equal(private_memory_convert(m, 0x400000, 2, false), 0);
	assert_true(private_memory_all_shared(m, 0x400000, 0x2000));
	assert_true(private_memory_all_shared(m, 0x400FFF, 2));
	assert_true(private_memory_all_shared(m, 0x401FFF, 1));
	assert_false(private_memory_all_shared(m, 0x401FFF, 2));
	assert_false(private_memory_all_shared(m, 0x400000, 0x2001));
	assert_false(private_memory_all_shared(m, 0x3FFFFF, 2));
	assert_false(private_memory_all_shared(m, 0x400000, 0));
	assert_false(private_memory_all_shared(m, MEMORY, 1));
	assert_false(private_memory_all_shared(m, UINT64_MAX, 2));
	assert_int_equal(private_memory_convert(m, 0x400000, 1, true), 0);
	assert_false(private_memory_is_shared(m, 0x400000));
	assert_true(private_memory_is_shared(m, 0x401000));
}

static void conversions_of_no_chunk_are_refused(void **state)
{
	static const struct {
		uint64_t gpa, pages;
	} bad[] = {
		{ 0x400000, 0 },           { 0x400000, PRIVATE_CHUNK_PAGES + 1 },
		{ 0x400001, 1 },           { MEMORY, 1 },
		{ MEMORY - 4096, 2 },      { 0xFFFFFFFFFFFFF000, 1 },
		{ 0x400000, UINT64_MAX },
	};

	(void)state;
	assert_int_equal(snp_vm_create(), 0);
	fake.used = 0;
	fake.trace[0] = '\0';
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(private_memory_convert(m, bad[i].gpa, bad[i].pages, false),
				 -EINVAL);
	assert_int_equal(fake.used, 0);
	assert_int_equal(private_memory_convert(m, 0x400000, PRIVATE_CHUNK_PAGES, false), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_failure_becomes_a_sentence),
		TEST(the_book_has_a_bit_for_each_page),
		TEST(a_book_without_room_is_the_hosts_fault),
		TEST(a_lock_that_cannot_be_made_is_told),
		TEST(staging_outside_ram_is_refused),
		TEST(staging_beside_a_private_page_is_refused),
		TEST(the_first_region_can_be_staged),
		TEST(ranges_are_shared_only_as_a_whole),
		TEST(conversions_of_no_chunk_are_refused),
	};

	return cmocka_run_group_tests_name("private_memory", tests, NULL, NULL);
}
