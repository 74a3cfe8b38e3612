/* The two filters of a thread: the first, under which a process is set up, and the second, narrower
 * one on top. In the simulator, so that calls of machines that are not here (SEV-SNP, TDX) count,
 * too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/kvm_uapi.h"
#include "tests/seccomp/decide.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ADDRESS 0x7fff12345678ull
#define THREAD_FLAGS                                                                      \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static bool thread_allows(const struct thread *t, const struct call *c)
{
	return thread_decides(t, AUDIT_ARCH_X86_64, (uint32_t)c->number, c->args) == TABLE_ALLOW;
}

/* Whatever a sealed thread does has to pass the filter of set-up as well. */
static void what_a_thread_needs_passes_both_filters(void **state)
{
	(void)state;
	for (size_t i = 0; i < THREAD_COUNT; i++)
		for (size_t k = 0; k < threads[i].second->needs_count; k++)
			if (!thread_allows(&threads[i], &threads[i].second->needs[k]))
				fail_msg("%s: need %zu, system call %d", threads[i].name, k,
					 threads[i].second->needs[k].number);
}

/* Calls that make or launch a machine: only under the first filter. */
static void launching_ends_with_the_second_filter(void **state)
{
	static const struct call launch[] = {
		{ SYS_ioctl, { 4, KVM_CREATE_VM, UAPI_VM_TYPE_SNP } },
		{ SYS_ioctl, { 11, UAPI_MEMORY_ENCRYPT_OP, ADDRESS } },
		{ SYS_ioctl, { 11, UAPI_CREATE_GUEST_MEMFD, ADDRESS } },
		{ SYS_ioctl, { 11, UAPI_SET_USER_MEMORY_REGION2, ADDRESS } },
		{ SYS_ioctl, { 11, KVM_SET_USER_MEMORY_REGION, ADDRESS } },
		{ SYS_ioctl, { 11, KVM_CREATE_VCPU, 1 } },
		{ SYS_ioctl, { 11, KVM_ENABLE_CAP, ADDRESS } },
		{ SYS_ioctl, { 11, KVM_IRQFD, ADDRESS } },
		{ SYS_ioctl, { 11, KVM_IOEVENTFD, ADDRESS } },
		{ SYS_ioctl, { 11, KVM_SET_TSC_KHZ, 1 } },
		{ SYS_ioctl, { 4, KVM_GET_DEVICE_ATTR, ADDRESS } },
		{ SYS_ioctl, { 12, KVM_SET_CPUID2, ADDRESS } },
		{ SYS_ioctl, { 12, KVM_SET_MSRS, ADDRESS } },
		{ SYS_ioctl, { 12, KVM_SET_SREGS, ADDRESS } },
		{ SYS_ioctl, { 12, KVM_SET_REGS, ADDRESS } },
		{ SYS_clone, { THREAD_FLAGS, ADDRESS, ADDRESS, ADDRESS, ADDRESS } },
		{ SYS_mmap, { 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS } },
		{ SYS_mprotect, { ADDRESS, 4096, PROT_READ } },
		{ SYS_sendmsg, { 10, ADDRESS, MSG_NOSIGNAL } },
		{ SYS_eventfd2, { 0, EFD_CLOEXEC | EFD_NONBLOCK } },
		{ SYS_fcntl, { 9, F_SETFL, O_RDWR } },
		{ SYS_seccomp, { SECCOMP_SET_MODE_FILTER, 0, ADDRESS } },
		{ SYS_close, { 5 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(launch); i++) {
		assert_true(role_allows(&roles[VMM_SETUP], (uint32_t)launch[i].number,
					launch[i].args));
		for (size_t k = 0; k < THREAD_COUNT; k++)
			if (threads[k].first == &roles[VMM_SETUP] &&
			    thread_allows(&threads[k], &launch[i]))
				fail_msg("%s: still allowed: %zu", threads[k].name, i);
	}
}

/* Of the model too, and of devices: whatever the first filter allows and no second one needs. */
static void what_only_set_up_needs_ends_with_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < THREAD_COUNT; i++) {
		const struct thread *t = &threads[i];
		size_t gone = 0;

		for (size_t k = 0; k < t->first->needs_count; k++) {
			const struct call *c = &t->first->needs[k];
			bool kept = role_allows(t->second, (uint32_t)c->number, c->args);

			assert_int_equal(thread_allows(t, c), kept);
			gone += !kept;
		}
		assert_true(gone >= 5);
	}
}

/* A VMM without a confidential guest below it, or with a simulated one, never launches one. */
static void the_model_asks_no_processor(void **state)
{
	static const uint64_t never[] = { UAPI_MEMORY_ENCRYPT_OP, UAPI_CREATE_GUEST_MEMFD,
					  UAPI_SET_USER_MEMORY_REGION2,
					  UAPI_SET_MEMORY_ATTRIBUTES };

	(void)state;
	for (size_t i = 0; i < COUNT(never); i++) {
		const uint64_t args[TABLE_ARGS] = { 11, never[i], ADDRESS };

		assert_true(role_allows(&roles[VMM_SETUP], SYS_ioctl, args));
		assert_false(role_allows(&roles[VMM_SIM_SETUP], SYS_ioctl, args));
	}
}

static void set_up_makes_threads_and_no_process(void **state)
{
	static const uint64_t processes[] = { SIGCHLD, 0, CLONE_VFORK | CLONE_VM | SIGCHLD,
					      CLONE_NEWUSER | SIGCHLD, CLONE_PARENT, CLONE_PIDFD };

	(void)state;
	for (size_t i = VMM_SETUP; i <= DEV_SETUP; i++) {
		uint64_t args[TABLE_ARGS] = { THREAD_FLAGS, ADDRESS, ADDRESS, ADDRESS, ADDRESS };

		assert_int_equal(role_allows(&roles[i], SYS_clone, args), i != DEV_SETUP);
		for (unsigned bit = 0; bit < 64; bit++) {
			args[0] = (uint64_t)THREAD_FLAGS ^ 1ull << bit;
			assert_false(role_allows(&roles[i], SYS_clone, args));
		}
		for (size_t k = 0; k < COUNT(processes); k++) {
			args[0] = processes[k];
			assert_false(role_allows(&roles[i], SYS_clone, args));
		}
		args[0] = ADDRESS;
		assert_int_equal(role_decides(&roles[i], SYS_clone3, args),
				 i == DEV_SETUP ? TABLE_REFUSE : TABLE_ENOSYS);
	}
}

static void set_up_makes_nothing_executable(void **state)
{
	(void)state;
	for (size_t i = VMM_SETUP; i <= DEV_SETUP; i++)
		for (unsigned bit = 2; bit < 64; bit++)
			for (uint64_t low = 0; low < 4; low++) {
				const uint64_t prot = 1ull << bit | low;
				const uint64_t args[TABLE_ARGS] = { ADDRESS, 4096, prot, 0x22 };

				assert_false(role_allows(&roles[i], SYS_mmap, args));
				assert_false(role_allows(&roles[i], SYS_mprotect, args));
			}
}

/* The narrower filter can be installed under the first, and nothing else be done with seccomp. */
static void set_up_may_only_narrow_itself(void **state)
{
	(void)state;
	for (size_t i = VMM_SETUP; i <= DEV_SETUP; i++)
		for (uint64_t operation = 0; operation < 8; operation++) {
			const uint64_t args[TABLE_ARGS] = { operation };

			assert_int_equal(role_allows(&roles[i], SYS_seccomp, args),
					 operation == SECCOMP_SET_MODE_FILTER);
		}
}

static void the_stricter_filter_wins(void **state)
{
	static const struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	static const struct sock_filter enosys[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 38) };
	static const struct sock_filter kill[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS) };
	const struct role role[] = { [TABLE_REFUSE] = { .filter = kill, .filter_count = 1 },
				     [TABLE_ALLOW] = { .filter = allow, .filter_count = 1 },
				     [TABLE_ENOSYS] = { .filter = enosys, .filter_count = 1 } };
	static const enum table_answer expected[3][3] = {
		[TABLE_REFUSE] = { TABLE_REFUSE, TABLE_REFUSE, TABLE_REFUSE },
		[TABLE_ALLOW] = { TABLE_REFUSE, TABLE_ALLOW, TABLE_ENOSYS },
		[TABLE_ENOSYS] = { TABLE_REFUSE, TABLE_ENOSYS, TABLE_ENOSYS },
	};
	static const uint64_t none[TABLE_ARGS] = { 0 };

	(void)state;
	for (unsigned a = 0; a < 3; a++)
		for (unsigned b = 0; b < 3; b++) {
			const struct thread t = { "test", &role[a], &role[b] };

			assert_int_equal(thread_decides(&t, AUDIT_ARCH_X86_64, 0, none),
					 expected[a][b]);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_thread_needs_passes_both_filters),
		cmocka_unit_test(launching_ends_with_the_second_filter),
		cmocka_unit_test(what_only_set_up_needs_ends_with_it),
		cmocka_unit_test(the_model_asks_no_processor),
		cmocka_unit_test(set_up_makes_threads_and_no_process),
		cmocka_unit_test(set_up_makes_nothing_executable),
		cmocka_unit_test(set_up_may_only_narrow_itself),
		cmocka_unit_test(the_stricter_filter_wins),
	};

	return cmocka_run_group_tests_name("seccomp_stages", tests, NULL, NULL);
}
