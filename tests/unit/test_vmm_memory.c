/* vmm/memory.c: what may be RAM, and the bounds of every copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/memory.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static int make_ram(uint64_t size, int seals)
{
	int fd = memfd_create("ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int map(struct memory *m, uint64_t size, uint64_t file_size, int seals)
{
	struct err e = { 0 };
	int fd = make_ram(file_size, seals);
	int rc = memory_map(m, fd, size, &e);

	close(fd); /* the map keeps it */
	return rc;
}

static void test_refused(void **state)
{
	const int both = F_SEAL_SHRINK | F_SEAL_GROW;
	struct memory m;

	(void)state;
	assert_int_equal(map(&m, 0, 0, both), -EX_USAGE_ERROR);
	assert_int_equal(map(&m, 2 * MIB, 2 * MIB, both), -EX_USAGE_ERROR);
	assert_int_equal(map(&m, 5 * MIB, 5 * MIB, both), -EX_USAGE_ERROR);
	assert_int_equal(map(&m, UINT64_MAX & ~(2 * MIB - 1), 4 * MIB, both), -EX_USAGE_ERROR);
	assert_int_equal(map(&m, 4 * MIB, 6 * MIB, both), -EX_HOST);
	assert_int_equal(map(&m, 6 * MIB, 4 * MIB, both), -EX_HOST);
	assert_int_equal(map(&m, 4 * MIB, 4 * MIB, F_SEAL_SHRINK), -EX_HOST);
	assert_int_equal(map(&m, 4 * MIB, 4 * MIB, F_SEAL_GROW), -EX_HOST);
}

static void test_copies(void **state)
{
	struct memory m;
	uint64_t v = 0x1122334455667788, back = 0;

	(void)state;
	assert_int_equal(map(&m, 4 * MIB, 4 * MIB, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(m.count, 1);
	assert_int_equal(gpa_write(&m, 4 * MIB - 8, &v, 8), 0);
	assert_int_equal(gpa_read(&m, 4 * MIB - 8, &back, 8), 0);
	assert_true(back == v);
	back = 5;
	assert_int_equal(gpa_read(&m, 4 * MIB - 7, &back, 8), -EX_GUEST);
	assert_int_equal(gpa_read(&m, 4 * MIB, &back, 1), -EX_GUEST);
	assert_int_equal(gpa_read(&m, UINT64_MAX - 3, &back, 8), -EX_GUEST);
	assert_int_equal(gpa_write(&m, UINT64_MAX, &back, 8), -EX_GUEST);
	assert_int_equal(gpa_read(&m, 0, &back, SIZE_MAX), -EX_GUEST);
	assert_true(back == 5); /* nothing was copied */
	munmap((void *)(uintptr_t)m.map, m.size);
}

static void test_hole(void **state)
{
	struct memory m;
	uint64_t v = 0xABCD, back = 0;

	(void)state;
	assert_int_equal(map(&m, 4 * GIB, 4 * GIB, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(m.count, 2);
	assert_true(m.region[0].size == 3 * GIB);
	assert_true(m.region[1].gpa == 4 * GIB && m.region[1].offset == 3 * GIB &&
		    m.region[1].size == GIB);
	assert_false(gpa_is_ram(&m, 3 * GIB, 1));
	assert_false(gpa_is_ram(&m, 4 * GIB - 1, 1));
	assert_false(gpa_is_ram(&m, 3 * GIB - 4, 8)); /* into the hole */
	assert_false(gpa_is_ram(&m, 5 * GIB, 1));
	assert_int_equal(gpa_write(&m, 5 * GIB - 8, &v, 8), 0);
	assert_int_equal(gpa_read(&m, 5 * GIB - 8, &back, 8), 0);
	assert_true(back == v);
	munmap((void *)(uintptr_t)m.map, m.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_hole),
	};

	return cmocka_run_group_tests_name("vmm memory", tests, NULL, NULL);
}
