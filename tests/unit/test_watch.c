/* The watch over SELinux, on a file that stands in for the kernel's status page. */
#include "sandbox/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct page {
	uint32_t version, sequence, enforcing, policyload, deny_unknown;
};

static char path[] = "/tmp/pavise-watch.XXXXXX";
static struct page *page;
static struct watch w;

/* As the kernel has it after the first policy. */
static int setup(void **state)
{
	struct err e = { 0 };

	(void)state;
	*page = (struct page){ .version = 1, .sequence = 4, .enforcing = 1, .policyload = 1 };
	return watch_open(&w, path, &e);
}

static int teardown(void **state)
{
	(void)state;
	watch_close(&w);
	return 0;
}

static void set_enforcing(uint32_t on)
{
	page->sequence += 2;
	page->enforcing = on;
}

static void load(void)
{
	page->sequence += 2;
	page->policyload++;
}

static void nothing_happens(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(watch_look(&w), WATCH_SAME);
}

static void switched_off(void **state)
{
	(void)state;
	set_enforcing(0);
	assert_int_equal(watch_look(&w), WATCH_OFF);
	assert_int_equal(watch_look(&w), WATCH_OFF);
}

static void switched_off_and_on_between_two_looks(void **state)
{
	(void)state;
	set_enforcing(0);
	set_enforcing(1);
	assert_int_equal(watch_look(&w), WATCH_OFF);
}

static void off_and_on_beside_a_load(void **state)
{
	(void)state;
	set_enforcing(0);
	load();
	set_enforcing(1);
	assert_int_equal(watch_look(&w), WATCH_OFF);
}

static void loads(void **state)
{
	(void)state;
	load();
	assert_int_equal(watch_look(&w), WATCH_POLICY);
	assert_int_equal(watch_look(&w), WATCH_SAME);
	load();
	load();
	assert_int_equal(watch_look(&w), WATCH_POLICY);
	load();
	set_enforcing(0);
	assert_int_equal(watch_look(&w), WATCH_OFF);
}

static void counters_wrap(void **state)
{
	struct err e = { 0 };

	(void)state;
	watch_close(&w);
	page->sequence = 0xFFFFFFFEu;
	page->policyload = 0xFFFFFFFFu;
	assert_int_equal(watch_open(&w, path, &e), 0);
	load();
	assert_int_equal(page->sequence, 0);
	assert_int_equal(watch_look(&w), WATCH_POLICY);
}

static void a_page_that_is_never_still(void **state)
{
	(void)state;
	page->sequence++;
	assert_int_equal(watch_look(&w), WATCH_OFF);
}

static void no_page(void **state)
{
	struct watch none = { .page = NULL };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(watch_check(&none, &e), 0);
	assert_int_equal(watch_open(&none, "/nonexistent/status", &e), -EX_HOST);
	assert_non_null(strstr(e.text, "degraded"));
	assert_null(none.page);
	watch_close(&w);
	page->version = 2;
	e = (struct err){ 0 };
	assert_int_equal(watch_open(&w, path, &e), -EX_HOST);
	assert_null(w.page);
}

static void the_end_is_named(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(watch_check(&w, &e), 0);
	set_enforcing(0);
	assert_int_equal(watch_check(&w, &e), -EX_HOST);
	assert_string_equal(e.text, "isolation is gone, so the VM is ended at once: SELinux was "
			    "switched to permissive: setenforce 1, then start it again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_happens, setup, teardown),
		cmocka_unit_test_setup_teardown(switched_off, setup, teardown),
		cmocka_unit_test_setup_teardown(switched_off_and_on_between_two_looks, setup,
						teardown),
		cmocka_unit_test_setup_teardown(off_and_on_beside_a_load, setup, teardown),
		cmocka_unit_test_setup_teardown(loads, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_that_is_never_still, setup, teardown),
		cmocka_unit_test_setup_teardown(no_page, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_is_named, setup, teardown),
	};
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return 1;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
