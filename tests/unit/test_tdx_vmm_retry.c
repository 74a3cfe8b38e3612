/* The launch of a trust domain when a step fails: what is tried again, how often, and what a user
 * reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tdx_vm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define MEMORY (160ull << 20)

/* completion statuses of the module */
#define BUSY    0x8000020000000000
#define ENTROPY 0x8000020300000000

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

/* ppoll for the code under test, which waits with it for nothing: the tests do not wait. */
static int64_t slept_ns;

int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *time, const sigset_t *mask);

int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *time, const sigset_t *mask)
{
	(void)fds;
	(void)mask;
	assert_int_equal(count, 0);
	slept_ns += time->tv_sec * 1000000000 + time->tv_nsec;
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

struct failure {
	const char *call;
	int rc;
	uint64_t hw;
	const char *text; /* part of what the user reads */
};

/* What each sentence says is test_tdx_vmm_errors.c's; here: that each step says its own. */
static const struct failure failures[] = {
	{ "create_td", -EINVAL, 0, "KVM_CREATE_VM(TDX): this host's KVM makes no trust domains" },
	{ "capabilities", -EINVAL, 0, "KVM_TDX_CAPABILITIES: the kernel speaks another" },
	{ "cap 60 129", -EINVAL, 0, "KVM_ENABLE_CAP: " },
	{ "cap 60 237", -EINVAL, 0, "CYCLES_NS): the kernel cannot set the APIC timer" },
	{ "get_tsc", -EINVAL, 0, "KVM_SET_TSC_KHZ: " },
	{ "tsc", -EINVAL, 0, "KVM_SET_TSC_KHZ: " },
	{ "init_vm", -ENOSPC, 0, "KVM_TDX_INIT_VM: no memory key is left" },
	{ "init_vm", -EINVAL, 0xC000010000000041, "KVM_TDX_INIT_VM: the module refuses the ext" },
	{ "guest_memfd 60 0xa", -ENOMEM, 0, "KVM_CREATE_GUEST_MEMFD: the host is out of memory" },
	{ "guest_memfd 60 0x1000\n", -EINVAL, 0, "KVM_CREATE_GUEST_MEMFD: " },
	{ "memory 60 0", -EINVAL, 0, "KVM_SET_USER_MEMORY_REGION2: " },
	{ "memory 60 1", -EEXIST, 0, "KVM_SET_USER_MEMORY_REGION2: RAM regions overlap" },
	{ "attributes 60 0 ", -EINVAL, 0, "KVM_SET_MEMORY_ATTRIBUTES: " },
	{ "attributes 60 0xfffff000", -ENOTTY, 0, "KVM_SET_MEMORY_ATTRIBUTES: " },
	{ "attributes 60 0x181000", -EFAULT, 0, "KVM_SET_MEMORY_ATTRIBUTES: " },
	{ "irqfd", -EINVAL, 0, "kvm: no irqfd" },
	{ "init_vcpu 271", -EINVAL, 0, "KVM_TDX_INIT_VCPU: the vCPU lacks x2APIC" },
	{ "init_vcpu", -EIO, 0xC000070500000000, "KVM_TDX_INIT_VCPU: more vCPUs than" },
	{ "get_cpuid", -E2BIG, 0, "KVM_TDX_GET_CPUID: the module has more CPUID leaves" },
	{ "get_cpuid", -EIO, 0xC000060700000000, "KVM_TDX_GET_CPUID: the trust domain is at" },
	{ "region", -EINVAL, 0, "KVM_TDX_INIT_MEM_REGION: the kernel refuses a page" },
	{ "region", -EIO, 0xC0000B0D00000001, "KVM_TDX_INIT_MEM_REGION: the page was added" },
	{ "region", 0, 0, "KVM_TDX_INIT_MEM_REGION: the kernel says it did pages and did none" },
	{ "finalize", -EINVAL, 0, "KVM_TDX_FINALIZE_VM: the trust domain cannot run" },
	{ "finalize", -EIO, 0xC000060900000000, "KVM_TDX_FINALIZE_VM: the trust domain has no" },
};

static void every_failure_becomes_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct failure *f = &failures[i];

		tdx_vm_end();
		tdx_vm_begin(MEMORY, 2, true);
		disturb(f->call, 9999, f->rc, f->hw, 0);
		assert_int_equal(tdx_vm_all(), -EX_HOST);
		if (!strstr(tm.e.text, f->text))
			fail_msg("%s: %s", f->call, tm.e.text);
		assert_int_equal(strstr(tm.e.text, "; module ") != NULL, f->hw != 0);
		assert_int_equal(fake_count("finalize"), strcmp(f->call, "finalize") == 0);
	}
}

/* The bound is one of tries in a row. */
static void progress_starts_the_count_again(void **state)
{
	(void)state;
	fake.script[0] = (struct fake_answer){ "region 270 0x100000", 150, -EINTR, 0, 0, false };
	fake.script[1] = (struct fake_answer){ "region 270 0x100000", 1, 0, 0, 1, false };
	fake.script[2] = (struct fake_answer){ "region 270 0x101000", 200, -EINTR, 0, 0, false };
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(fake_tdx.pages, 117);
}

/* A module that is busy is left alone for a millisecond before it is asked again. */
static void tries_are_not_in_haste(void **state)
{
	(void)state;
	slept_ns = 0;
	disturb("finalize", 100, -EBUSY, BUSY, 0);
	assert_int_equal(tdx_vm_all(), 0);
	assert_int_equal(slept_ns, 100 * 1000000L);
}

/* --- what is tried again: canonical/tdx#21, #319, pitfall "EINTR" --- */

struct retry {
	const char *what, *call;
	unsigned times;
	int rc;
	uint64_t hw;
	int pages;      /* done by each disturbed call */
	unsigned calls; /* altogether */
	bool good;
};

static const struct retry retries[] = {
	{ "no entropy", "init_vm", 3, -EAGAIN, ENTROPY, 0, 4, true },
	{ "never entropy", "init_vm", 999, -EAGAIN, ENTROPY, 0, 201, false },
	{ "module busy at the start", "init_vm", 2, -EBUSY, BUSY, 0, 3, true },
	{ "control group full", "init_vm", 9, -EBUSY, 0, 0, 1, false },
	{ "a signal", "region 270 0x100000", 2, -EINTR, 0, 0, 3, true },
	{ "again", "region 270 0x100000", 3, -EAGAIN, 0, 0, 4, true },
	{ "busy", "region 270 0x100000", 3, -EBUSY, BUSY, 0, 4, true },
	{ "signals for ever", "region 270 0x100000", 999, -EINTR, 0, 0, 201, false },
	{ "a page at a time", "region 270 0x11", 15, 0, 0, 1, 16, true },
	{ "progress with an error", "region 270 0x11", 15, -EINTR, 0, 1, 16, true },
	{ "no progress called a success", "region 270 0x100000", 9, 0, 0, 0, 1, false },
	{ "pages grow", "region 270 0x100000", 9, 0, 0, -1, 1, false },
	{ "the module refuses", "region 270 0x100000", 9, -EIO, 0xC0000B0D00000001, 0, 1, false },
	{ "the kernel refuses", "region 270 0x100000", 9, -EINVAL, 0, 0, 1, false },
	{ "finalize busy", "finalize", 3, -EBUSY, BUSY, 0, 4, true },
	{ "finalize busy for ever", "finalize", 999, -EBUSY, BUSY, 0, 201, false },
	{ "finalize refused", "finalize", 9, -EINVAL, 0, 0, 1, false },
	{ "vCPU busy", "init_vcpu", 2, -EBUSY, BUSY, 0, 3, true },
	{ "vCPU busy for ever", "init_vcpu", 999, -EBUSY, BUSY, 0, 201, false },
};

static void steps_are_tried_again_within_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++) {
		const struct retry *r = &retries[i];
		int rc;

		again(1);
		disturb(r->call, r->times, r->rc, r->hw, r->pages);
		rc = tdx_vm_all();
		if ((rc == 0) != r->good || (rc != 0 && rc != -EX_HOST))
			fail_msg("%s: %d, %s", r->what, rc, tm.e.text);
		if (fake_count(r->call) != r->calls)
			fail_msg("%s: %u calls", r->what, fake_count(r->call));
		if (r->good)
			assert_int_equal(fake_tdx.pages, 117);
	}
}

static void signals_come_back_after_the_launch(void **state)
{
	sigset_t before, after;

	(void)state;
	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	sigprocmask(SIG_SETMASK, &before, NULL);
	disturb("finalize", 1, -EINVAL, 0, 0);
	assert_int_equal(tdx_vm_all(), -EX_HOST);
	sigprocmask(SIG_BLOCK, NULL, &after);
	for (int s = 1; s < SIGRTMIN; s++)
		assert_int_equal(sigismember(&after, s), s == SIGUSR2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_failure_becomes_a_sentence),
		TEST(progress_starts_the_count_again),
		TEST(tries_are_not_in_haste),
		TEST(steps_are_tried_again_within_bounds),
		TEST(signals_come_back_after_the_launch),
	};

	return cmocka_run_group_tests_name("tdx_vmm_retry", tests, NULL, NULL);
}
