/* The ID block of an SEV-SNP launch: what the guest's owner signed is passed on, or refused before
 * anything is made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/snp_vm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

static int file_of(const void *data, size_t size)
{
	int fd = memfd_create("id", MFD_CLOEXEC);

	assert_int_equal(write(fd, data, size), size);
	return fd;
}

static void an_id_block_is_passed_on(void **state)
{
	const uint64_t policy = PLAN_SNP_POLICY;
	uint8_t block[96], auth[4096];

	(void)state;
	memset(block, 0x55, sizeof(block));
	memcpy(block + 88, &policy, sizeof(policy));
	for (uint32_t author = 0; author < 2; author++) {
		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		memset(auth, 0x66, sizeof(auth));
		memcpy(auth + 4, &author, sizeof(author));
		sm.config.id_block = file_of(block, sizeof(block));
		sm.config.id_auth = file_of(auth, sizeof(auth));
		assert_int_equal(snp_vm_all(), 0);
		assert_int_equal(fake.finish.id_block_en, 1);
		assert_int_equal(fake.finish.auth_key_en, author);
		assert_memory_equal(fake.id_block, block, sizeof(block));
		assert_memory_equal(fake.id_auth, auth, sizeof(auth));
		assert_int_equal(fcntl(sm.config.id_block, F_GETFD), -1);
		assert_int_equal(fcntl(sm.config.id_auth, F_GETFD), -1);
	}
}

static void descriptor_zero_is_one_too(void **state)
{
	const uint64_t policy = PLAN_SNP_POLICY;
	uint8_t block[96] = { 0 }, auth[4096] = { 0 };
	int stdin_kept = dup(STDIN_FILENO), fd = file_of(block, sizeof(block));

	(void)state;
	memcpy(block + 88, &policy, sizeof(policy));
	assert_int_equal(pwrite(fd, block, sizeof(block), 0), sizeof(block));
	assert_int_equal(dup2(fd, 0), 0);
	close(fd);
	sm.config.id_block = 0;
	sm.config.id_auth = file_of(auth, sizeof(auth));
	assert_int_equal(snp_vm_all(), 0);
	assert_int_equal(fake.finish.id_block_en, 1);
	assert_int_equal(dup2(stdin_kept, STDIN_FILENO), STDIN_FILENO);
	close(stdin_kept);
}

static void a_bad_id_block_is_refused_before_the_vm_exists(void **state)
{
	static const struct {
		size_t block, auth;
		uint64_t policy;
		const char *text;
	} bad[] = {
		{ 95, 4096, PLAN_SNP_POLICY, "id_block: 95 bytes, not 96" },
		{ 97, 4096, PLAN_SNP_POLICY, "id_block: 97 bytes, not 96" },
		{ 96, 4095, PLAN_SNP_POLICY, "id_auth: 4095 bytes, not 4096" },
		{ 96, 4096, PLAN_SNP_POLICY | 1 << 19, "id_block: policy 0xb0000" },
		{ 95, 4095, PLAN_SNP_POLICY, "id_block: 95 bytes, not 96" }, /* the first */
	};
	uint8_t data[4097];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snp_vm_end();
		snp_vm_begin(MEMORY, 1);
		memset(data, 0, sizeof(data));
		memcpy(data + 88, &bad[i].policy, sizeof(bad[i].policy));
		sm.config.id_block = file_of(data, bad[i].block);
		sm.config.id_auth = file_of(data, bad[i].auth);
		sm.config.certs = memfd_create("empty", MFD_CLOEXEC); /* as bad, and read later */
		assert_int_equal(snp_vm_all(), -EX_MALFORMED);
		assert_non_null(strstr(sm.e.text, bad[i].text));
		assert_int_equal(fake.used, 0);
		close(sm.config.id_block);
		close(sm.config.id_auth);
		close(sm.config.certs);
	}
}

/* pread for the code under test: a file can become shorter after it was measured. */
static enum { PREAD_ALL, PREAD_LESS, PREAD_NONE, PREAD_FAILS } pread_mood;

ssize_t __real_pread(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset);

ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset)
{
	switch (pread_mood) {
	case PREAD_LESS:
		return __real_pread(fd, out, size - 1, offset);
	case PREAD_NONE:
		return 0;
	case PREAD_FAILS:
		errno = EIO;
		return -1;
	case PREAD_ALL:
		break;
	}
	return __real_pread(fd, out, size, offset);
}

static void an_id_block_that_cannot_be_read_is_the_hosts_fault(void **state)
{
	static const struct {
		int mood;
		const char *text;
	} cases[] = {
		{ PREAD_LESS, "id_block: read 95 of 96 bytes" },
		{ PREAD_NONE, "id_block: read 0 of 96 bytes" },
		{ PREAD_FAILS, "id_block: cannot read: Input/output error" },
	};
	uint8_t data[96] = { 0 };

	(void)state;
	sm.config.id_block = file_of(data, sizeof(data));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&sm.e, 0, sizeof(sm.e));
		pread_mood = cases[i].mood;
		assert_int_equal(snp_vm_all(), -EX_HOST);
		pread_mood = PREAD_ALL;
		assert_string_equal(sm.e.text, cases[i].text);
	}
	close(sm.config.id_block);
	memset(&sm.e, 0, sizeof(sm.e));
	assert_int_equal(snp_vm_all(), -EX_HOST); /* closed */
	assert_non_null(strstr(sm.e.text, "id_block: cannot look at descriptor"));
	assert_int_equal(fake.used, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_id_block_is_passed_on),
		TEST(descriptor_zero_is_one_too),
		TEST(a_bad_id_block_is_refused_before_the_vm_exists),
		TEST(an_id_block_that_cannot_be_read_is_the_hosts_fault),
	};

	return cmocka_run_group_tests_name("snp_id_block", tests, NULL, NULL);
}
