/* Limits of a VM: their values, and the files they are written to. A folder with files of the same
 * names stands in for a cgroup; the kernel's own are in tests/sandbox/test_limits.sh. */
#include "sandbox/cgroup.h"
#include "sandbox/cgroup_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- values -------------------------------------------------------------------------------- */

static const struct {
	struct limits_guest guest;
	uint64_t vmm, back_end, helper, vm; /* KiB */
	uint64_t vmm_tasks, vm_tasks;
} values[] = {
	/* memory, cpus, confidential, simulated, back ends, helpers */
	{ { 64 * MIB, 1, false, false, 2, 1 }, 147456, 131328, 65536, 344576, 17, 53 },
	{ { 512 * MIB, 2, false, false, 1, 0 }, 671744, 591872, 65536, 739328, 18, 34 },
	/* Smaller than the least share. */
	{ { 64 * MIB, 1, true, false, 1, 1 }, 212992, 131328, 65536, 344320, 17, 37 },
	{ { 512 * MIB, 1, true, false, 1, 1 }, 794624, 198656, 65536, 927744, 17, 37 },
	{ { 4 * GIB, 4, true, false, 1, 1 }, 5341184, 606208, 65536, 5488640, 20, 40 },
	/* The share ends at 2 GiB. */
	{ { 64 * GIB, 64, true, false, 2, 1 }, 78184448, 2424832, 65536, 78905344, 80, 116 },
	/* The model keeps private pages after it copied them. */
	{ { 320 * MIB, 1, true, true, 1, 1 }, 901120, 197888, 65536, 1033472, 17, 37 },
	{ { 320 * MIB, 1, true, true, 9, 3 }, 901120, 197888, 65536, 1699072, 17, 173 },
};

static void table_of_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		const struct limits_guest *g = &values[i].guest;
		struct limits vmm, back_end, helper, vm;
		struct err e = { 0 };

		assert_int_equal(limits_of_child(g, LIMITS_VMM, &vmm, &e), 0);
		assert_int_equal(limits_of_child(g, LIMITS_BACK_END, &back_end, &e), 0);
		assert_int_equal(limits_of_child(g, LIMITS_HELPER, &helper, &e), 0);
		assert_int_equal(limits_of_vm(g, &vm, &e), 0);
		assert_int_equal(vmm.memory, values[i].vmm * KIB);
		assert_int_equal(back_end.memory, values[i].back_end * KIB);
		assert_int_equal(helper.memory, values[i].helper * KIB);
		assert_int_equal(vm.memory, values[i].vm * KIB);
		assert_int_equal(vmm.tasks, values[i].vmm_tasks);
		assert_int_equal(vm.tasks, values[i].vm_tasks);
	}
}

/* What the numbers are for, over all sizes. */
static void what_the_limits_are_for(void **state)
{
	(void)state;
	for (unsigned shift = 21; shift <= 45; shift++)
		for (unsigned kind = 0; kind < 3; kind++) {
			const struct limits_guest g = { .memory = 1ull << shift, .cpus = 1,
							.confidential = kind > 0,
							.simulated = kind == 2, .back_ends = 2 };
			struct limits vmm, back_end, vm;
			struct err e = { 0 };

			assert_int_equal(limits_of_child(&g, LIMITS_VMM, &vmm, &e), 0);
			assert_int_equal(limits_of_child(&g, LIMITS_BACK_END, &back_end, &e), 0);
			assert_int_equal(limits_of_vm(&g, &vm, &e), 0);
			/* Whoever touches a plain guest's memory first, it is enough. */
			if (kind == 0)
				assert_true(back_end.memory > g.memory);
			/* A back end that fills holes is stopped before the holes end ... */
			if (kind > 0 && g.memory >= 256 * MIB)
				assert_true(back_end.memory < g.memory);
			/* ... and before the VM has no room for a VMM that holds all of its own. */
			if (kind > 0)
				assert_true(vm.memory - back_end.memory >= g.memory * kind);
			assert_true(vmm.memory < vm.memory);
			assert_int_equal((vmm.memory | back_end.memory | vm.memory) % 4096, 0);
		}
}

static void sizes_beyond_64_bits(void **state)
{
	const uint64_t sizes[] = { UINT64_MAX, UINT64_MAX - 4095, UINT64_MAX / 2 + 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const struct limits_guest g = { .memory = sizes[i], .cpus = UINT32_MAX,
						.confidential = true, .simulated = true,
						.back_ends = 9, .helpers = 3 };
		struct err e = { 0 };
		struct limits l;

		assert_int_equal(limits_of_vm(&g, &l, &e), -EX_USAGE_ERROR);
		e.status = 0;
		assert_int_equal(limits_of_child(&g, LIMITS_VMM, &l, &e), -EX_USAGE_ERROR);
	}
}

/* ---- files --------------------------------------------------------------------------------- */

static char folder[64];
static int dir;

static void put(const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_text(const char *file, const char *text)
{
	char got[64] = "";
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	close(fd);
	assert_string_equal(got, text);
}

static int make_folder(void **state)
{
	static const char *const empty[] = { "memory.max", "memory.swap.max", "memory.oom.group",
					     "pids.max", "cgroup.kill" };

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pavise-cgroup.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(empty); i++)
		put(empty[i], "");
	return 0;
}

static int drop_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int drop_folder(void **state)
{
	(void)state;
	close(dir);
	return nftw(folder, drop_one, 4, FTW_DEPTH | FTW_PHYS);
}

static const struct limits some = { .memory = 8192, .tasks = 17 };

static void limits_are_written(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(cgroup_file_limit(dir, "it", &some, &e), 0);
	assert_text("memory.max", "8192");
	assert_text("memory.swap.max", "0");
	assert_text("memory.oom.group", "1");
	assert_text("pids.max", "17");
}

static void assert_not_limited(const char *text)
{
	struct err e = { 0 };

	assert_int_equal(cgroup_file_limit(dir, "it", &some, &e), -EX_HOST);
	assert_non_null(strstr(e.text, text));
}

static void each_limit_is_read_back(void **state)
{
	static const char *const files[] = { "memory.max", "memory.swap.max", "memory.oom.group",
					     "pids.max" };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		put(files[i], "99999999");
		assert_not_limited("something else sets it");
		put(files[i], "");
	}
	limits_are_written(NULL);
}

static void each_limit_must_be_there(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(dir, "memory.swap.max", 0), 0);
	assert_not_limited("it: no memory.swap.max");
	put("memory.swap.max", "");
	assert_int_equal(unlinkat(dir, "pids.max", 0), 0);
	assert_int_equal(symlinkat("memory.max", dir, "pids.max"), 0);
	assert_not_limited("pids.max: cannot write 17");
}

static const struct {
	const char *has, *gives;
	int rc;
	const char *text;
} controllers[] = {
	{ "cpu memory pids\n", "memory pids\n", 0, "" },
	{ "memory pids", "pids cpu memory", 0, "" },
	{ "\n", "\n", -EX_HOST, "has not got the controllers" },
	{ "cpu memory\n", "\n", -EX_HOST, "has not got the controllers" },
	{ "cpu pids\n", "\n", -EX_HOST, "has not got the controllers" },
	{ "memory2 pids\n", "\n", -EX_HOST, "has not got the controllers" },
	{ "xmemory pids\n", "\n", -EX_HOST, "has not got the controllers" },
	/* The stand-in keeps what is written, which a kernel would not show like this. */
	{ "memory pids\n", "\n", -EX_HOST, "not in it after they were added" },
	{ "memory pids\n", "cpu memory\n", -EX_HOST, "not in it after they were added" },
};

static void controllers_are_given_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(controllers); i++) {
		struct err e = { 0 };

		put("cgroup.controllers", controllers[i].has);
		put("cgroup.subtree_control", controllers[i].gives);
		assert_int_equal(cgroup_file_enable(dir, "it", &e), controllers[i].rc);
		assert_non_null(strstr(e.text, controllers[i].text));
	}
	assert_text("cgroup.subtree_control", "+memory +pids");
}

static const struct {
	const char *text;
	bool good;
	uint64_t value;
} events[] = {
	{ "oom 1\noom_kill 7\n", true, 7 },
	{ "oom_kill 0\n", true, 0 },
	{ "oom_kill 18446744073709551615", true, UINT64_MAX },
	{ "oom_kill 18446744073709551616\n", false, 0 },
	{ "oom_kill -1\n", false, 0 },
	{ "oom_kill  1\n", false, 0 },
	{ "oom_kill 1x\n", false, 0 },
	{ "oom_kill\n", false, 0 },
	{ "oom_kills 1\n", false, 0 },
	{ "xoom_kill 1\n", false, 0 },
	{ "", false, 0 },
};

static void keys_of_a_file(void **state)
{
	char text[600];
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		value = 42;
		put("memory.events", events[i].text);
		assert_int_equal(cgroup_file_key(dir, "memory.events", "oom_kill", &value),
				 events[i].good);
		assert_int_equal(value, events[i].good ? events[i].value : 42);
	}
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put("memory.events", text);
	assert_false(cgroup_file_key(dir, "memory.events", "oom_kill", &value));
	assert_false(cgroup_file_key(dir, "absent", "oom_kill", &value));
	put("memory.max", "max\n");
	assert_false(cgroup_file_number(dir, "memory.max", &value));
	put("memory.max", "4096\n");
	assert_true(cgroup_file_number(dir, "memory.max", &value));
	assert_int_equal(value, 4096);
}

static void its_end(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(cgroup_file_kill(dir, "it", &e), 0);
	assert_text("cgroup.kill", "1");
	put("cgroup.events", "populated 0\nfrozen 0\n");
	assert_int_equal(cgroup_file_await_empty(dir, "it", 0, &e), 0);
	put("cgroup.events", "populated 1\nfrozen 0\n");
	assert_int_equal(cgroup_file_await_empty(dir, "it", 1, &e), -EX_INTERNAL);
	assert_non_null(strstr(e.text, "processes are left"));
	e.status = 0;
	put("cgroup.events", "frozen 0\n");
	assert_int_equal(cgroup_file_await_empty(dir, "it", 1000, &e), -EX_INTERNAL);
}

/* No cgroup, so nothing of ours is made there and nothing is taken for ours. */
static void another_file_system(void **state)
{
	const struct mcs_pair pair = { 1, 2 };
	struct cgroup c;
	struct err e = { 0 };
	char path[80];
	bool found = true;

	(void)state;
	assert_int_equal(cgroup_open(folder, &c, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "no cgroup v2"));
	e.status = 0;
	snprintf(path, sizeof(path), "%s/pavise", folder);
	assert_int_equal(cgroup_open(path, &c, &e), -EX_HOST);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(mkdirat(dir, "c1.c2", 0700), 0);
	assert_int_equal(cgroup_reclaim(folder, &pair, &found, &e), 0);
	assert_false(found);
	assert_int_equal(access(folder, F_OK), 0);
	e.status = 0;
	assert_int_equal(cgroup_open("pavise", &c, &e), -EX_USAGE_ERROR);
	assert_int_equal(cgroup_remove(&c, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_of_values),
		cmocka_unit_test(what_the_limits_are_for),
		cmocka_unit_test(sizes_beyond_64_bits),
		cmocka_unit_test_setup_teardown(limits_are_written, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(each_limit_is_read_back, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(each_limit_must_be_there, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(controllers_are_given_on, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(keys_of_a_file, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(its_end, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(another_file_system, make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
