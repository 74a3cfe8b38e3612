/* sandbox/audit/proc_text.c: lines of /proc in which a process has a say. */
#include "sandbox/audit/proc_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void mappings(void **state)
{
	const char *at = "7f25e6747000-7f25e6750000 r-xp 00009000 fe:00 11461610                   "
			 "/usr/bin/a b\n"
			 "7f25e6811000-7f25e6814000 rw-s 00000000 00:01 1958460    /memfd:x\\012y "
			 "(deleted)\n"
			 "7ffe0843c000-7ffe0845d000 ---p 00000000 00:00 0 \n"
			 "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  "
			 "[vsyscall]\n";
	struct mapping m;

	(void)state;
	assert_true(mapping_next(&at, &m));
	assert_true(m.execute && !m.write && !m.shared);
	assert_int_equal(m.major, 0xfe);
	assert_int_equal(m.inode, 11461610);
	assert_int_equal(m.name_size, strlen("/usr/bin/a b"));
	assert_memory_equal(m.name, "/usr/bin/a b", m.name_size);
	assert_true(mapping_next(&at, &m));
	assert_true(m.write && m.shared && !m.execute);
	assert_memory_equal(m.name, "/memfd:x\\012y (deleted)", m.name_size);
	assert_true(mapping_next(&at, &m));
	assert_int_equal(m.inode, 0);
	assert_int_equal(m.name_size, 0);
	assert_true(mapping_next(&at, &m));
	assert_memory_equal(m.name, "[vsyscall]", m.name_size);
	assert_string_equal(at, "");
	assert_false(mapping_next(&at, &m));
	assert_null(at);
}

static void no_mappings(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"1-2 r-xp 0 0:0 1 a",
		"1-2 rwxq 0 0:0 1\n",
		"1-2 rwx 0 0:0 1\n",
		"2-1 r-xp 0 0:0 1\n",
		"-1-2 r-xp 0 0:0 1\n",
		"1-2 r-xp 0 0:0 x\n",
		"1-2 r-xp 0 0 1\n",
		"1-2 r-xp 0 fffff:0 1\n",
		"1-2 r-xp 0 0:0 1x\n",
		"1-2 \n",
		"1-2 r-xp\n",
	};
	struct mapping m;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *at = lines[i];
		assert_false(mapping_next(&at, &m));
		assert_null(at);
	}
}

static void limits(void **state)
{
	static const char text[] =
		"Limit                     Soft Limit           Hard Limit           Units     \n"
		"Max file size             4194304              unlimited            bytes     \n"
		"Max processes             17                   17                   processes \n"
		"Max nice priority         x                    0                    \n";
	uint64_t soft, hard;

	(void)state;
	assert_true(limit_find(text, "Max file size", &soft, &hard));
	assert_int_equal(soft, 4194304);
	assert_int_equal(hard, UINT64_MAX);
	assert_true(limit_find(text, "Max processes", &soft, &hard));
	assert_int_equal(hard, 17);
	assert_false(limit_find(text, "Max open files", &soft, &hard));
	assert_false(limit_find(text, "Max nice priority", &soft, &hard));
	assert_false(limit_find(text, "Max file", &soft, &hard));
	assert_false(limit_find("", "Max file size", &soft, &hard));
}

static void mounts(void **state)
{
	const char *at = "76 78 254:0 /usr /usr ro,nosuid,nodev,relatime - ext4 /dev/vda rw\n"
			 "78 46 0:48 / / ro,nosuid shared:1 master:2 - tmpfs none rw,size=64k\n";
	struct mounted m;

	(void)state;
	assert_true(mounted_next(&at, &m));
	assert_string_equal(m.point, "/usr");
	assert_string_equal(m.options, "ro,nosuid,nodev,relatime");
	assert_string_equal(m.type, "ext4");
	assert_true(mounted_next(&at, &m));
	assert_string_equal(m.point, "/");
	assert_string_equal(m.type, "tmpfs");
	assert_string_equal(at, "");
	for (const char *const *bad =
		     (const char *const[]){ "1 2 3 4 /a ro\n", "\n", "1 2 3 4 /a ro - \n",
					    "1 2 3 4 /a ro - tmpfs", NULL };
	     *bad != NULL; bad++) {
		at = *bad;
		assert_false(mounted_next(&at, &m));
		assert_null(at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings),
		cmocka_unit_test(no_mappings),
		cmocka_unit_test(limits),
		cmocka_unit_test(mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
