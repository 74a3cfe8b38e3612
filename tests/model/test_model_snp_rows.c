/* The SEV-SNP launch, row by row of the tables that the model answers for. Sections are those of the
 * design notes (tee-abi: §2.2 envelope, §2.3 INIT2, §2.4 LAUNCH_START, §2.5 LAUNCH_UPDATE, §2.6
 * LAUNCH_FINISH, §7.3 kernel wrapper), taken from Linux 6.12 arch/x86/kvm/svm/sev.c and newer.
 *
 * Rows that have their place elsewhere: the firmware's order of checks, test_psp.c; CPUID rules,
 * test_psp_cpuid.c; RMP states, test_model_rmp.c; GHCB (§2.10), test_model_ghcb.c.
 *
 * Rows that are not modelled, and why:
 *   NULL argument as a probe, ids below 100, unknown ids, command pads, ghcb_version, INIT2 flags:
 *       the seam (vmm/kvm/sev.h) has one function a command, with no place for them
 *   INIT2 without a free ASID (EBUSY) or with an empty range (ENOTTY): one guest, one ASID;
 *       kvm_model_snp_launch.c injects both
 *   SEV disabled: without psp= there is no machine of this kind, and sev_create_vm says EINVAL
 *   a vCPU in the making during FINISH (EBUSY), guest_debug, DR7: no second thread before GO, and
 *       the seam sets neither; what the VMM does on EBUSY: kvm_model_snp_launch.c
 *   another process (EIO), sev_fd closed later (EBADF): the model's sev_fd is never one of its own
 *   a signal during LAUNCH_UPDATE: kvm_model_snp_launch.c injects its answer
 *   CPUID leaf 8000_0024 (the firmware's own features): KVM shows it to no guest */
#include "model/launch.h"
#include "model/psp_wire.h"
#include "model/real.h"
#include "tests/model/snp_bench.h"
#include "vmm/kvm/private.h"
#include "vmm/kvm/sev.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define FRESH 0x200000u /* nothing was added there */
#define TWO_PAGES 0x2000u

static uint64_t unmapped; /* an address where the process has nothing */

/* §2.3: any feature but those of the mask. */
static void init2_features(void **unused)
{
	(void)unused;
	for (unsigned bit = 0; bit < 64; bit++)
		EXPECT(CREATED, sev_init2(VM_FD, -1, 1ull << bit, &fw),
		       (1ull << bit & ~LAUNCH_VMSA_FEATURES) != 0 ? -EINVAL : 0, 0, 0);
	/* What was passed and SNP active end up in every VMSA. */
	for (unsigned debug_swap = 0; debug_swap < 2; debug_swap++) {
		uint32_t fw;

		bench_reach(CREATED);
		assert_int_equal(sev_init2(VM_FD, -1, debug_swap << 5, &fw), 0);
		assert_int_equal(model.vmsa_features, debug_swap << 5 | 1);
		bench_leave();
	}
}

/* §2.4: each bit of the policy as 6.12 knows it. */
static void start_policy(void **unused)
{
	(void)unused;
	for (unsigned bit = 0; bit < 64; bit++) {
		bool good = bit < 18 || bit == 19; /* ABI version, SMT, the one, debug */

		EXPECT(INITED, sev_launch_start(VM_FD, -1, 0x30000 | 1ull << bit, &fw),
		       good ? 0 : -EINVAL, good ? 0 : -1, good ? 3 : 0);
	}
}

/* §2.2, §7.3: whatever the command, it is that of this VM. */
static void another_vm(void **unused)
{
	(void)unused;
	EXPECT(INITED, (fw = 0, sev_launch_start(VM_FD + 1, -1, 0x30000, &fw)), -EIO, 0, 0);
	EXPECT(STARTED, (fw = 0, sev_launch_update(VM_FD + 1, -1, &(struct uapi_snp_update){ 0 },
						   &fw)), -EIO, 0, 0);
	EXPECT(STARTED, (fw = 0, sev_launch_finish(VM_FD + 1, -1, &(struct uapi_snp_finish){ 0 },
						   &fw)), -EIO, 0, 0);
}

/* §2.2: a descriptor that is not /dev/sev; only after KVM's own checks. */
static void another_descriptor(void **unused)
{
	struct uapi_snp_update good = bench_update(FRESH, 1, 1), bad = bench_update(FRESH, 1, 9);
	struct uapi_snp_finish f = { 0 }, flags = { .flags = 1 };

	(void)unused;
	EXPECT(STARTED, sev_launch_update(VM_FD, 7, &good, &fw), -EBADF, -1, 0);
	EXPECT(STARTED, sev_launch_update(VM_FD, 7, &bad, &fw), -EINVAL, -1, 0);
	EXPECT(STARTED, sev_launch_finish(VM_FD, 7, &f, &fw), -EBADF, -1, 0);
	EXPECT(STARTED, sev_launch_finish(VM_FD, 7, &flags, &fw), -EINVAL, -1, 0);
}

static struct uapi_snp_update last;

static int update(uint64_t gpa, uint64_t bytes, uint8_t type, uint64_t from, uint32_t *fw)
{
	last = bench_update(gpa, 0, type);
	last.len = bytes;
	last.uaddr = from;
	return sev_launch_update(VM_FD, -1, &last, fw);
}

#define HERE ((uint64_t)(uintptr_t)bench_source)

/* §2.5, and "UPDATE" of §7.3. */
static void update_rows(void **unused)
{
	static const struct {
		uint64_t gpa, bytes;
		uint8_t type;
		enum { GOOD, NOWHERE, UNALIGNED, UNMAPPED } from;
		int rc;
		uint32_t fw;
		int sent;
	} row[] = {
		{ FRESH, 0, 1, GOOD, -EINVAL, SEV_FW_NONE, 0 }, /* 7.x */
		{ FRESH, 0x800, 1, GOOD, -EINVAL, SEV_FW_NONE, 0 },
		{ FRESH, 0x1001, 1, GOOD, -EINVAL, SEV_FW_NONE, 0 },
		{ FRESH, 0x1000, 0, GOOD, -EINVAL, SEV_FW_NONE, 0 },
		{ FRESH, 0x1000, 2, GOOD, -EINVAL, SEV_FW_NONE, 0 }, /* VMSA: the kernel's */
		{ FRESH, 0x1000, 7, GOOD, -EINVAL, SEV_FW_NONE, 0 },
		{ FRESH, 0x1000, 0xFF, GOOD, -EINVAL, SEV_FW_NONE, 0 },
		{ FRESH, 0x1000, 1, NOWHERE, -EINVAL, SEV_FW_NONE, 0 }, /* 7.x */
		{ FRESH, 0x1000, 5, NOWHERE, -EINVAL, SEV_FW_NONE, 0 },
		{ FRESH, 0x1000, 1, UNALIGNED, -EINVAL, SEV_FW_NONE, 0 },
		{ FRESH, 0x1000, 3, NOWHERE, 0, 0, 1 },              /* ZERO has no source */
		{ FRESH, 0x1000, 3, UNALIGNED, 0, 0, 1 },
		{ FRESH, 0x1000, 3, UNMAPPED, 0, 0, 1 },
		{ FRESH, 0x1000, 1, UNMAPPED, -EIO, 0, 0 },          /* fault inside populate */
		{ FRESH, 0x1000, 4, UNMAPPED, -EIO, 0, 0 },
		{ FRESH, 0x1000, 5, UNMAPPED, -EIO, 0, 0 },
		{ FRESH, 0x1000, 6, UNMAPPED, -EIO, 0, 0 },
		{ MEMORY, 0x1000, 1, GOOD, -EINVAL, SEV_FW_NONE, 0 }, /* no slot with gmem */
		{ 1ull << 45, 0x1000, 1, GOOD, -EINVAL, SEV_FW_NONE, 0 },
		{ FRESH, 0x2000, 1, GOOD, 0, 0, 2 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const uint64_t from[] = { HERE, 0, HERE + 8, unmapped };
		uint32_t fw = 0x5A5A5A5A;
		int rc, sent;

		bench_reach(STARTED);
		rc = update(row[i].gpa, row[i].bytes, row[i].type, from[row[i].from], &fw);
		sent = bench_commands();
		if (rc != row[i].rc || fw != row[i].fw || sent != row[i].sent)
			fail_msg("row %zu: %d, firmware %#x, %d commands", i, rc, fw, sent);
		bench_leave();
	}
}

/* §2.5: "If at least one page was done the ioctl reports success with progress". */
static void update_partial(void **unused)
{
	uint32_t fw;

	(void)unused;
	/* The firmware refuses the second page; then the caller hears why. */
	bench_reach(STARTED);
	bench_answer_after(PSP_LAUNCH_UPDATE, 1, 0x1A);
	assert_int_equal(update(FRESH, TWO_PAGES, 1, HERE, &fw), 0);
	assert_int_equal(last.gfn_start, FRESH / FW_PAGE + 1);
	assert_int_equal(last.len, FW_PAGE);
	assert_int_equal(last.uaddr, HERE + FW_PAGE);
	assert_int_equal(sev_launch_update(VM_FD, -1, &last, &fw), -EIO);
	assert_int_equal(fw, 0x1A);
	assert_int_equal(last.len, FW_PAGE);
	/* It was reclaimed, so that it may be tried again. */
	bench_answer(0, 0);
	assert_int_equal(sev_launch_update(VM_FD, -1, &last, &fw), 0);
	assert_int_equal(last.len, 0);
	bench_leave();
	/* The second page has no source. */
	bench_reach(STARTED);
	uint8_t *two = mmap(NULL, TWO_PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	assert_ptr_not_equal(two, MAP_FAILED);
	munmap(two + FW_PAGE, FW_PAGE);
	assert_int_equal(update(FRESH, TWO_PAGES, 1, (uintptr_t)two, &fw), 0);
	assert_int_equal(last.len, FW_PAGE);
	assert_int_equal(sev_launch_update(VM_FD, -1, &last, &fw), -EIO);
	assert_int_equal(fw, 0);
	munmap(two, FW_PAGE);
	bench_leave();
	/* The second page is shared: no code of the firmware's. ZERO has no source to move on. */
	bench_reach(STARTED);
	assert_int_equal(private_set_attributes(VM_FD, FRESH + FW_PAGE, FW_PAGE, 0), 0);
	assert_int_equal(update(FRESH, TWO_PAGES, 3, HERE, &fw), 0);
	assert_int_equal(last.uaddr, HERE);
	assert_int_equal(sev_launch_update(VM_FD, -1, &last, &fw), -EIO);
	assert_int_equal(fw, 0);
	bench_leave();
}

/* §2.11: every code of the firmware's arrives as it is. */
static void update_codes(void **unused)
{
	(void)unused;
	for (uint32_t code = 1; code <= 0x27; code++)
		EXPECT(STARTED, (bench_answer(PSP_LAUNCH_UPDATE, code),
				 update(FRESH, FW_PAGE, 1, HERE, &fw)), -EIO, code, 1);
}

static struct uapi_snp_finish f;

static int finish(uint64_t block, uint64_t auth, uint32_t *fw)
{
	f = (struct uapi_snp_finish){ .id_block_en = block != 0, .id_block_uaddr = block,
				      .id_auth_uaddr = auth };
	return sev_launch_finish(VM_FD, -1, &f, fw);
}

/* §2.6, and "FINISH" of §7.3. */
static void finish_rows(void **unused)
{
	(void)unused;
	/* ID block and id_auth are read only when every VMSA is done. */
	EXPECT(UPDATED, finish(unmapped, HERE, &fw), -EFAULT, 0, 1);
	EXPECT(UPDATED, finish(HERE, unmapped, &fw), -EFAULT, 0, 1);
	EXPECT(UPDATED, finish(HERE, HERE, &fw), 0, 0, 2);
	/* ... and after that there is no second try. */
	EXPECT(UPDATED, (finish(unmapped, HERE, &fw), finish(HERE, HERE, &fw)), -EINVAL, -1, 1);
	/* A VMSA that the firmware refused did not protect its vCPU. */
	EXPECT(UPDATED, (bench_answer(PSP_LAUNCH_UPDATE, 0x1A), finish(0, 0, &fw),
			 bench_answer(0, 0), finish(0, 0, &fw)), 0, 0, 3);
	/* ... but those before it are, and so it ends there. */
	EXPECT(UPDATED, (bench_add_vcpu(), bench_answer_after(PSP_LAUNCH_UPDATE, 1, 0x1A),
			 finish(0, 0, &fw)), -EIO, 0x1A, 2);
	EXPECT(UPDATED, (bench_add_vcpu(), bench_answer_after(PSP_LAUNCH_UPDATE, 1, 0x1A),
			 finish(0, 0, &fw), bench_answer(0, 0), finish(0, 0, &fw)), -EINVAL, -1, 2);
	/* Without a vCPU nothing is measured, and a second one is the firmware's to refuse. */
	EXPECT(UPDATED, (model.vcpu_count = 0, finish(0, 0, &fw)), 0, 0, 1);
	EXPECT(UPDATED, (model.vcpu_count = 0, finish(0, 0, &fw),
			 bench_answer(PSP_LAUNCH_FINISH, 2), finish(0, 0, &fw)), -EIO, 2, 2);
	/* §2.11: every code. */
	for (uint32_t code = 1; code <= 0x27; code++)
		EXPECT(UPDATED, (bench_answer(PSP_LAUNCH_FINISH, code), finish(0, 0, &fw)), -EIO,
		       code, 2);
}

/* §7.3, "KVM_RUN before FINISH": nothing in software, and no entry; so a vCPU that came later. */
static void run_rows(void **unused)
{
	struct kvm_run *run = calloc(1, sizeof(*run));

	(void)unused;
	assert_non_null(run);
	for (enum step s = INITED; s <= FINISHED; s++) {
		bench_reach(s);
		model.vcpu[0].run = run;
		run->exit_reason = 0;
		assert_int_equal(model.kind->check_run(&model.vcpu[0]),
				 s == FINISHED ? ENTER_GUEST : 0);
		assert_int_equal(run->exit_reason, s == FINISHED ? 0 : KVM_EXIT_FAIL_ENTRY);
		bench_add_vcpu();
		model.vcpu[1].run = run;
		assert_int_equal(model.kind->check_run(&model.vcpu[1]), 0);
		assert_int_equal(run->exit_reason, KVM_EXIT_FAIL_ENTRY);
		bench_leave();
	}
	free(run);
}

/* §7.3, "attributes flip to shared of a launched page": allowed, and the guest has lost it. */
static void shared_after_launch(void **unused)
{
	const uint64_t page = FW_IMAGE / FW_PAGE;

	(void)unused;
	bench_reach(FINISHED);
	const uint8_t *state = model.region[0].pages.page;

	assert_true(page_private_usable(state[page]));
	assert_int_equal(private_set_attributes(VM_FD, FW_IMAGE, FW_PAGE, 0), 0);
	assert_false(page_private_usable(state[page]));
	assert_true(page_shared_usable(state[page]));
	/* Private again without its backing taken away, it is what it was; else nothing. */
	assert_int_equal(private_set_attributes(VM_FD, FW_IMAGE, FW_PAGE, UAPI_ATTRIBUTE_PRIVATE),
			 0);
	assert_true(page_private_usable(state[page]));
	assert_int_equal(private_discard(bench_gmem, FW_IMAGE, FW_PAGE), 0);
	assert_false(page_private_usable(state[page]));
	bench_leave();
}

/* §2.6, "SET_REGS… after FINISH" of §7.3: EINVAL, and KVM below is not asked. */
static void registers_after_finish(void **unused)
{
	(void)unused;
	for (enum step s = INITED; s <= FINISHED; s++) {
		const int want = s == FINISHED ? -EX_HOST : -EX_INTERNAL; /* the fake's */
		struct kvm_sregs sregs = { 0 };
		struct kvm_regs regs = { 0 };
		struct err e = { 0 };

		bench_reach(s);
		const int fd = model.vcpu[0].fd;

		assert_int_equal(__wrap_kvm_set_regs(fd, &regs, &e), want);
		assert_int_equal(strstr(e.text, "KVM_SET_REGS: Invalid argument") != NULL,
				 s == FINISHED);
		assert_int_equal(__wrap_kvm_get_regs(fd, &regs, &e), want);
		assert_int_equal(__wrap_kvm_set_sregs(fd, &sregs, &e), want);
		assert_int_equal(__wrap_kvm_get_sregs(fd, &sregs, &e), want);
		assert_int_equal(__wrap_kvm_set_msr(fd, 0x277, 0, &e), want);
		bench_leave();
	}
}

/* Stricter than KVM, which takes slots for shared memory alone: the VMM makes none. */
static void plain_slot(void **unused)
{
	struct err e = { 0 };

	(void)unused;
	bench_reach(INITED);
	assert_int_equal(__wrap_kvm_set_memory(VM_FD, 1, MEMORY, FW_PAGE,
					       (uint64_t)(uintptr_t)bench_ram, &e), -EX_HOST);
	assert_int_equal(__wrap_kvm_set_memory(VM_FD + 1, 1, 0, FW_PAGE,
					       (uint64_t)(uintptr_t)bench_ram, &e), -EX_INTERNAL);
	bench_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init2_features),
		cmocka_unit_test(start_policy),
		cmocka_unit_test(another_vm),
		cmocka_unit_test(another_descriptor),
		cmocka_unit_test(update_rows),
		cmocka_unit_test(update_partial),
		cmocka_unit_test(update_codes),
		cmocka_unit_test(finish_rows),
		cmocka_unit_test(run_rows),
		cmocka_unit_test(shared_after_launch),
		cmocka_unit_test(registers_after_finish),
		cmocka_unit_test(plain_slot),
	};
	void *hole = mmap(NULL, FW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!bench_make_ram() || hole == MAP_FAILED)
		return 1;
	unmapped = (uint64_t)(uintptr_t)hole;
	return cmocka_run_group_tests_name("model_snp_rows", tests, NULL, NULL);
}
