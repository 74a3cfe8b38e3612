/* The seccomp filters: the bytes that production installs, run in a simulator, against what their
 * tables say, what the processes need and what must never be allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/file.h"
#include "sandbox/seccomp/filter.h"
#include "tests/seccomp/bpf.h"
#include "tests/seccomp/decide.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/falloc.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define NUMBER_MAX   1024u        /* well above the highest system call */
#define X32_BIT      0x40000000u
#define INSTRUCTIONS 512

static void load_table(const struct role *r, struct table *t)
{
	struct err e = { 0 };
	size_t size;
	void *text;

	/* Tests run from the top folder. */
	if (file_read("table", r->table, 65536, 0, &text, &size, &e) < 0 ||
	    table_parse(r->table, text, size, t, &e) < 0)
		fail_msg("%s", e.text);
	free(text);
}

static size_t build(const struct table *t, struct sock_filter out[INSTRUCTIONS])
{
	struct err e = { 0 };
	size_t count = 0;

	if (filter_build(t, FILTER_KILL, out, INSTRUCTIONS, &count, &e) < 0)
		fail_msg("%s", e.text);
	return count;
}

static void filters_are_built_from_the_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		struct sock_filter f[INSTRUCTIONS];
		struct table t = { 0 };

		load_table(&roles[i], &t);
		assert_int_equal(build(&t, f), roles[i].filter_count);
		assert_memory_equal(f, roles[i].filter, roles[i].filter_count * sizeof(f[0]));
	}
}

/* Instruction by instruction: what tests install in place of a filter differs from it in nothing
 * but that a refused call is answered instead of killing. */
static void batch_filters_differ_in_the_refusal_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		const struct role *r = &roles[i];
		unsigned refusals = 0;

		assert_int_equal(r->batch_count, r->filter_count);
		for (size_t k = 0; k < r->filter_count; k++) {
			struct sock_filter want = r->filter[k];

			if (want.code == (BPF_RET | BPF_K) && want.k == SECCOMP_RET_KILL_PROCESS) {
				want.k = SECCOMP_RET_ERRNO | EPERM;
				refusals++;
			}
			if (memcmp(&want, &r->batch[k], sizeof(want)) != 0)
				fail_msg("%s: instruction %zu differs", r->name, k);
		}
		assert_true(refusals > 0);
	}
}

static void what_a_role_needs_is_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (unmet_needs(&roles[i], roles[i].filter, roles[i].filter_count) != 0)
			fail_msg("%s: a call it needs is refused", roles[i].name);
}

static void no_row_is_unneeded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		struct table all = { 0 };

		load_table(&roles[i], &all);
		for (size_t gone = 0; gone < all.row_count; gone++) {
			struct sock_filter f[INSTRUCTIONS];
			struct table t = all;
			size_t count;

			memmove(&t.row[gone], &t.row[gone + 1],
				(all.row_count - gone - 1) * sizeof(t.row[0]));
			t.row_count--;
			count = build(&t, f);
			if (unmet_needs(&roles[i], f, count) == 0)
				fail_msg("%s:%u: nothing needs this row", roles[i].table,
					 all.row[gone].line);
		}
	}
}

static void agree(const struct role *r, const struct table *t, uint32_t number,
		  const uint64_t args[TABLE_ARGS])
{
	enum table_answer want = table_decide(t, (int)number, args);

	if (role_decides(r, number, args) != want)
		fail_msg("%s: system call %u with %#llx %#llx %#llx %#llx %#llx %#llx: filter and "
			 "table disagree (table: %d)", r->name, number,
			 (unsigned long long)args[0], (unsigned long long)args[1],
			 (unsigned long long)args[2], (unsigned long long)args[3],
			 (unsigned long long)args[4], (unsigned long long)args[5], (int)want);
}

/* Around a row: each condition's value, its neighbours, and each of its 64 bits flipped. */
static void agree_around(const struct role *r, const struct table *t, const struct table_row *row)
{
	uint64_t args[TABLE_ARGS] = { 0 };

	for (unsigned i = 0; i < row->condition_count; i++)
		args[row->condition[i].arg] = row->condition[i].value;
	agree(r, t, (uint32_t)row->number, args);
	assert_int_equal(role_decides(r, (uint32_t)row->number, args), row->answer);
	for (unsigned i = 0; i < TABLE_ARGS; i++) {
		uint64_t kept = args[i];

		for (unsigned bit = 0; bit < 64; bit++) {
			args[i] = kept ^ 1ull << bit;
			agree(r, t, (uint32_t)row->number, args);
		}
		args[i] = kept + 1;
		agree(r, t, (uint32_t)row->number, args);
		args[i] = kept - 1;
		agree(r, t, (uint32_t)row->number, args);
		args[i] = kept;
	}
}

static void filters_agree_with_the_tables(void **state)
{
	static const uint64_t none[TABLE_ARGS] = { 0 };
	static const uint64_t ones[TABLE_ARGS] = { 1, 1, 1, 1, 1, 1 };
	uint64_t high[TABLE_ARGS];

	(void)state;
	memset(high, 0xff, sizeof(high));
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		struct table t = { 0 };

		load_table(&roles[i], &t);
		for (uint32_t number = 0; number < NUMBER_MAX; number++) {
			agree(&roles[i], &t, number, none);
			agree(&roles[i], &t, number, ones);
			agree(&roles[i], &t, number, high);
		}
		for (size_t k = 0; k < t.row_count; k++)
			agree_around(&roles[i], &t, &t.row[k]);
	}
}

static void high_bits_of_an_ioctl_are_refused(void **state)
{
	const struct role *vcpu = &roles[VMM_VCPU];
	uint64_t args[TABLE_ARGS] = { 12, KVM_RUN };

	(void)state;
	assert_true(role_allows(vcpu, SYS_ioctl, args));
	for (unsigned bit = 32; bit < 64; bit++) {
		args[1] = KVM_RUN | 1ull << bit;
		assert_false(role_allows(vcpu, SYS_ioctl, args));
	}
}

static void ioctls_of_set_up_are_refused(void **state)
{
	static const uint64_t set_up[] = { KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_IRQFD,
		KVM_SET_USER_MEMORY_REGION, KVM_IOEVENTFD, KVM_SET_MSRS, KVM_SET_SREGS,
		KVM_CREATE_DEVICE, KVM_ENABLE_CAP, KVM_SET_CPUID2, KVM_MEMORY_ENCRYPT_OP,
		UAPI_SET_USER_MEMORY_REGION2, UAPI_CREATE_GUEST_MEMFD,
		0xc0105300 /* SEV_ISSUE_CMD of /dev/sev, which stays open */ };

	(void)state;
	for (size_t i = VMM_MAIN; i < ROLE_COUNT; i++)
		for (size_t k = 0; k < sizeof(set_up) / sizeof(set_up[0]); k++) {
			const uint64_t args[TABLE_ARGS] = { 11, set_up[k], 0x7fff0000 };
			/* The platform model moves memory slots: in its own program alone. */
			bool model = i == VMM_SIM_VCPU &&
				     set_up[k] == KVM_SET_USER_MEMORY_REGION;

			assert_int_equal(role_allows(&roles[i], SYS_ioctl, args), model);
		}
}

static void other_architectures_are_killed(void **state)
{
	static const uint32_t foreign[] = { AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0 };
	static const uint64_t none[TABLE_ARGS] = { 0 };

	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		const struct role *r = &roles[i];

		for (uint32_t number = 0; number < NUMBER_MAX; number++) {
			for (size_t k = 0; k < sizeof(foreign) / sizeof(foreign[0]); k++)
				assert_int_equal(decide(r->filter, r->filter_count, foreign[k],
							number, none), TABLE_REFUSE);
			assert_int_equal(role_decides(r, X32_BIT | number, none), TABLE_REFUSE);
		}
		assert_int_equal(role_decides(r, UINT32_MAX, none), TABLE_REFUSE);
	}
}

static bool is_excepted(const struct role *r, int number)
{
	for (size_t i = 0; i < r->may_count; i++)
		if (r->may[i] == number)
			return true;
	return false;
}

static void forbidden_calls_are_refused(void **state)
{
	uint64_t args[TABLE_ARGS];

	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		for (size_t k = 0; k < forbidden_count; k++)
			for (unsigned fill = 0; fill < 256; fill += 15) {
				memset(args, (int)fill, sizeof(args));
				if (!is_excepted(&roles[i], forbidden[k]) &&
				    role_allows(&roles[i], (uint32_t)forbidden[k], args))
					fail_msg("%s: system call %d", roles[i].name, forbidden[k]);
			}
}

/* Beside its own table's test: only confidential guests change pages, and only by freeing them. */
static void only_confidential_guests_free_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		bool sim = i == VMM_SIM_VCPU || i == VMM_SIM_SETUP;
		bool confidential = i == VMM_CONFIDENTIAL_VCPU || i == VMM_SETUP;
		const uint64_t attributes[TABLE_ARGS] = { 11, UAPI_SET_MEMORY_ATTRIBUTES };

		assert_int_equal(role_allows(&roles[i], SYS_ioctl, attributes),
				 confidential);
		for (uint64_t mode = 0; mode < 256; mode++) {
			const uint64_t args[TABLE_ARGS] = { 6, mode, 0, 4096 };
			bool punch = mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);

			assert_int_equal(role_allows(&roles[i], SYS_fallocate, args),
					 (confidential || sim) && punch);
		}
	}
}

/* What the front may of it: memory that is never executable, no socket of its own making; its
 * helper: sockets of one kind, which reach no network. */
static void the_front_makes_nothing_executable(void **state)
{
	const struct role *front = &roles[ATTEST_FRONT], *broker = &roles[ATTEST_BROKER];

	(void)state;
	for (uint64_t prot = 0; prot < 8; prot++) {
		const uint64_t args[TABLE_ARGS] = { 0, 4096, prot };
		assert_int_equal(role_allows(front, SYS_mmap, args), (prot & PROT_EXEC) == 0);
	}
	for (uint64_t family = 0; family < 46; family++)
		for (uint64_t type = 0; type < 8; type++) {
			const uint64_t args[TABLE_ARGS] = { family, type | SOCK_CLOEXEC };
			assert_false(role_allows(front, SYS_socket, args));
			assert_int_equal(role_allows(broker, SYS_socket, args),
					 family == AF_UNIX && type == SOCK_SEQPACKET);
		}
}

/* The relay of quotes: a stream to its one kind of service, and no other socket. */
static void the_relay_connects_to_its_service_only(void **state)
{
	const struct role *local = &roles[QUOTE_UNIX], *vm = &roles[QUOTE_VSOCK];

	(void)state;
	for (uint64_t family = 0; family < 46; family++)
		for (uint64_t type = 0; type < 8; type++) {
			const uint64_t args[TABLE_ARGS] = {
				family, type | SOCK_CLOEXEC | SOCK_NONBLOCK
			};
			bool stream = type == SOCK_STREAM;
			assert_int_equal(role_allows(local, SYS_socket, args),
					 stream && family == AF_UNIX);
			assert_int_equal(role_allows(vm, SYS_socket, args),
					 stream && family == AF_VSOCK);
		}
}

static void malformed_tables_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "# only this\n", "read -\n", "read - reason", "no_such_call - reason\n",
		"_llseek - i386 only\n", "read arg6==1 reason\n", "read arg0 reason\n",
		"read arg0=1 reason\n", "read arg0==NO_SUCH_NAME reason\n", "read arg0==01 reason\n",
		"read arg0==0x10 reason\n", "read arg0==18446744073709551616 reason\n",
		"read arg0==1, reason\n", "read arg0==1,arg0==2 reason\n", "read arg0>=1 reason\n",
		"mmap arg2&PROT_EXEC==1 reason\n", "read arg0&==1 reason\n",
		"read - once\nread - twice\n", "read ENOSYS once\nread - twice\n",
		"read ENOSYS none\nread arg0==1 some\n", "read EPERM reason\n",
		"read ENOSYS,arg0==1 reason\n", "read arg0==1,ENOSYS reason\n",
		"read - all\nread arg0==1 some\n",
		"read arg0==1 some\nread - all\n", "read arg0==1 a\nread arg0==1 b\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		struct table t;

		if (table_parse("test", bad[i], strlen(bad[i]), &t, &e) != -EX_MALFORMED)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(strncmp(e.text, "test:", 5), 0);
	}
}

static void every_operator_compiles_to_what_it_says(void **state)
{
	static const char text[] = "mmap arg2&PROT_EXEC==0,arg4==18446744073709551615 masked\n"
				   "read arg2<=4294967296 crosses 32 bits\n"
				   "clone3 ENOSYS not made\n";
	uint64_t map[TABLE_ARGS] = { 0, 4096, 3, 0x22, UINT64_MAX, 0 }, size[TABLE_ARGS] = { 0 };
	struct role r = { .name = "operators" };
	struct sock_filter f[INSTRUCTIONS];
	struct err e = { 0 };
	struct table t;

	(void)state;
	assert_int_equal(table_parse("test", text, sizeof(text) - 1, &t, &e), 0);
	r.filter = f;
	r.filter_count = build(&t, f);
	assert_true(role_allows(&r, SYS_mmap, map));
	agree_around(&r, &t, &t.row[0]);
	agree_around(&r, &t, &t.row[1]);
	agree_around(&r, &t, &t.row[2]);
	map[2] = 7;
	assert_false(role_allows(&r, SYS_mmap, map));
	size[2] = 4294967296;
	assert_true(role_allows(&r, SYS_read, size));
	size[2]++;
	assert_false(role_allows(&r, SYS_read, size));
}

static void the_simulator_refuses_what_the_kernel_would(void **state)
{
	static const struct sock_filter outside[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),
						      BPF_STMT(BPF_RET | BPF_K, 0) };
	static const struct sock_filter unaligned[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
							BPF_STMT(BPF_RET | BPF_K, 0) };
	static const struct sock_filter past[] = { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 9, 9) };
	static const struct sock_filter unknown[] = { BPF_STMT(BPF_MISC | BPF_TAX, 0),
						      BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct seccomp_data d = { 0 };
	uint32_t action;

	(void)state;
	assert_false(bpf_run(outside, 2, &d, &action));
	assert_false(bpf_run(unaligned, 2, &d, &action));
	assert_false(bpf_run(past, 1, &d, &action));
	assert_false(bpf_run(unknown, 2, &d, &action));
	assert_false(bpf_run(outside, 0, &d, &action));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_are_built_from_the_tables),
		cmocka_unit_test(batch_filters_differ_in_the_refusal_only),
		cmocka_unit_test(what_a_role_needs_is_allowed),
		cmocka_unit_test(no_row_is_unneeded),
		cmocka_unit_test(filters_agree_with_the_tables),
		cmocka_unit_test(high_bits_of_an_ioctl_are_refused),
		cmocka_unit_test(ioctls_of_set_up_are_refused),
		cmocka_unit_test(other_architectures_are_killed),
		cmocka_unit_test(forbidden_calls_are_refused),
		cmocka_unit_test(only_confidential_guests_free_memory),
		cmocka_unit_test(the_front_makes_nothing_executable),
		cmocka_unit_test(the_relay_connects_to_its_service_only),
		cmocka_unit_test(malformed_tables_are_refused),
		cmocka_unit_test(every_operator_compiles_to_what_it_says),
		cmocka_unit_test(the_simulator_refuses_what_the_kernel_would),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
