/* Certificates for a guest's extended guest requests: what is passed on, where, and what never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/snp_vm.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/snp_certs.h"
#include "vmm/tee/snp_exits.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (160ull << 20)
#define PLACE  0x400000ull
#define TABLE  5000u /* bytes: two pages */

static uint8_t table[SNP_CERTS_MAX + 1];

static int file_of(size_t size)
{
	int fd = memfd_create("certs", MFD_CLOEXEC);

	memset(table, 0xCE, sizeof(table));
	assert_int_equal(write(fd, table, size), size);
	return fd;
}

static int begin(void **state)
{
	(void)state;
	snp_vm_begin(MEMORY, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	snp_vm_end();
	return 0;
}

static struct uapi_snp_req_certs request(uint64_t gpa, uint64_t npages)
{
	struct uapi_snp_req_certs x = { gpa, npages, 0 };
	struct vcpu *v = &sm.vm.vcpu[0];

	v->run->exit_reason = UAPI_EXIT_SNP_REQ_CERTS;
	memcpy((uint8_t *)v->run + UAPI_RUN_REQ_CERTS_OFFSET, &x, sizeof(x));
	assert_true(snp_exit(v, 0));
	memcpy(&x, (uint8_t *)v->run + UAPI_RUN_REQ_CERTS_OFFSET, sizeof(x));
	assert_int_equal(atomic_load(&sm.vm.end), 0);
	return x;
}

static void create(void)
{
	sm.config.certs = file_of(TABLE);
	assert_int_equal(snp_vm_create(), 0);
	assert_int_equal(private_memory_convert(&sm.vm.private_memory, PLACE, 8, false), 0);
}

static uint8_t byte_at(uint64_t gpa)
{
	uint8_t byte = 0;

	assert_int_equal(gpa_read(&sm.vm.memory, gpa, &byte, 1), 0);
	return byte;
}

static void the_kernel_is_asked_before_the_vcpus(void **state)
{
	(void)state;
	sm.config.certs = file_of(TABLE);
	assert_int_equal(snp_vm_all(), 0);
	assert_non_null(strstr(fake.trace, "init2 40 9 0\nreq_certs 40 9\nguest_memfd"));
}

static void without_a_table_the_kernel_is_not_asked(void **state)
{
	(void)state;
	assert_int_equal(snp_vm_all(), 0);
	assert_int_equal(fake_count("req_certs"), 0);
	assert_int_equal(request(PLACE, 8).ret, EIO); /* nor does it then ask us */
}

static void an_older_kernel_costs_the_table_only(void **state)
{
	(void)state;
	fake.script[0] = (struct fake_answer){ "req_certs", 1, -EINVAL, 0, 0, false };
	sm.config.certs = file_of(TABLE);
	assert_int_equal(snp_vm_all(), 0);
	assert_non_null(strstr(snp_vm_log(), "the guest gets an empty table"));
	snp_vm_end();
	snp_vm_begin(MEMORY, 1);
	fake.script[0] = (struct fake_answer){ "req_certs", 1, -EBUSY, 0, 0, false };
	sm.config.certs = file_of(TABLE);
	assert_int_equal(snp_vm_all(), -EX_HOST);
}

static void the_guest_gets_the_table(void **state)
{
	(void)state;
	create();
	assert_int_equal(request(PLACE, 2).ret, 0);
	assert_int_equal(byte_at(PLACE), 0xCE);
	assert_int_equal(byte_at(PLACE + TABLE - 1), 0xCE);
	assert_int_equal(byte_at(PLACE + TABLE), 0);
	assert_int_equal(request(PLACE, UINT64_MAX).ret, 0);
}

static void too_little_room_is_told_how_much_is_needed(void **state)
{
	struct uapi_snp_req_certs x;

	(void)state;
	create();
	for (uint64_t room = 0; room < 2; room++) {
		x = request(PLACE, room);
		assert_int_equal(x.ret, ENOSPC);
		assert_int_equal(x.npages, 2);
		assert_int_equal(byte_at(PLACE), 0);
	}
}

static void only_shared_memory_is_written(void **state)
{
	static const uint64_t bad[] = {
		0x800000,             /* private */
		PLACE - 4096,         /* begins private */
		PLACE + 0x7000,     /* ends private */
		PLACE + 1, MEMORY, MEMORY - 4096, 0xFFFFFFFFFFFFF000, 0xFEC00000,
		PLACE | 1ull << 51,
	};

	(void)state;
	create();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (request(bad[i], 8).ret != EIO)
			fail_msg("%#llx", (unsigned long long)bad[i]);
	assert_int_equal(byte_at(0x800000), 0);
	assert_int_equal(byte_at(PLACE + 0x7000), 0);
}

static void tables_of_other_sizes_are_refused(void **state)
{
	static const size_t size[] = { 0, SNP_CERTS_MAX + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		sm.config.certs = file_of(size[i]);
		assert_int_equal(snp_vm_create(), -EX_MALFORMED);
		assert_non_null(strstr(sm.e.text, "certs: "));
		assert_int_equal(fake.used, 0);
		close(sm.config.certs);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_is_asked_before_the_vcpus),
		TEST(without_a_table_the_kernel_is_not_asked),
		TEST(an_older_kernel_costs_the_table_only),
		TEST(the_guest_gets_the_table),
		TEST(too_little_room_is_told_how_much_is_needed),
		TEST(only_shared_memory_is_written),
		TEST(tables_of_other_sizes_are_refused),
	};

	return cmocka_run_group_tests_name("snp_certs", tests, NULL, NULL);
}
