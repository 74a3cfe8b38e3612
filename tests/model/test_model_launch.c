/* The launch commands in every state, against a scripted secure processor: errno and firmware code,
 * and how many commands reached it. KVM below is a fake. test_model_snp_rows.c has what its tables
 * add. */
#include "model/launch.h"
#include "model/psp_wire.h"
#include "tests/model/snp_bench.h"
#include "vmm/kvm/private.h"
#include "vmm/kvm/sev.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static void init2(void **unused)
{
	(void)unused;
	EXPECT(CREATED, sev_init2(VM_FD, -1, 1 << 5, &fw), 0, 0, 0);
	EXPECT(CREATED, sev_init2(VM_FD, -1, 1, &fw), -EINVAL, 0, 0); /* SNP_ACTIVE is KVM's */
	EXPECT(CREATED, (bench_add_vcpu(), sev_init2(VM_FD, -1, 0, &fw)), -EINVAL, 0, 0);
	for (enum step s = INITED; s <= FINISHED; s++)
		EXPECT(s, sev_init2(VM_FD, -1, 0, &fw), -EPERM, 0, 0);
	EXPECT(CREATED, (fw = 0, sev_init2(VM_FD + 1, -1, 0, &fw)), -EIO, 0, 0);
}

static void start(void **unused)
{
	static const uint64_t bad[] = { 0x10000, 0x20000, 0x130000, 0x50000, 0x230000, 1ull << 40 };

	(void)unused;
	EXPECT(CREATED, sev_launch_start(VM_FD, -1, 0x30000, &fw), -ENOTTY, -1, 0);
	EXPECT(INITED, sev_launch_start(VM_FD, -1, 0x30000, &fw), 0, 0, 3);
	EXPECT(INITED, sev_launch_start(VM_FD, -1, 0xB0000, &fw), 0, 0, 3); /* debug */
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(INITED, sev_launch_start(VM_FD, -1, bad[i], &fw), -EINVAL, -1, 0);
	EXPECT(INITED, sev_launch_start(VM_FD, 7, 0x30000, &fw), -EBADF, -1, 0);
	for (enum step s = STARTED; s <= FINISHED; s++)
		EXPECT(s, sev_launch_start(VM_FD, -1, 0x30000, &fw), -EINVAL, -1, 0);
	/* The firmware refuses: at its first command KVM says ENOTTY, later it cleans up. */
	EXPECT(INITED, (bench_answer(PSP_GCTX_CREATE, 0x1A),
			sev_launch_start(VM_FD, -1, 0x30000, &fw)), -ENOTTY, 0x1A, 1);
	EXPECT(INITED, (bench_answer(PSP_LAUNCH_START, 7),
			sev_launch_start(VM_FD, -1, 0x30000, &fw)), -EIO, 7, 3);
	EXPECT(INITED, (bench_answer(PSP_ACTIVATE, 0xC),
			sev_launch_start(VM_FD, -1, 0x30000, &fw)), -EIO, 0xC, 4);
	/* And the start may be tried again. */
	EXPECT(INITED, (bench_answer(PSP_ACTIVATE, 0xC),
			sev_launch_start(VM_FD, -1, 0x30000, &fw),
			bench_answer(0, 0), sev_launch_start(VM_FD, -1, 0x30000, &fw)), 0, 0, 7);
}

static struct uapi_snp_update u;

static int update(uint64_t gpa, uint64_t pages, uint8_t type, uint32_t *fw)
{
	u = bench_update(gpa, pages, type);
	return sev_launch_update(VM_FD, -1, &u, fw);
}

static int update_with(size_t offset, uint8_t byte, uint32_t *fw)
{
	u = bench_update(0x200000, 1, PSP_TYPE_NORMAL);
	((uint8_t *)&u)[offset] = byte;
	return sev_launch_update(VM_FD, -1, &u, fw);
}

static void update_states(void **unused)
{
	(void)unused;
	EXPECT(CREATED, update(0x200000, 1, 1, &fw), -EINVAL, -1, 0);
	EXPECT(INITED, update(0x200000, 1, 1, &fw), -EINVAL, -1, 0);
	EXPECT(STARTED, update(0x200000, 1, 1, &fw), 0, 0, 1);
	EXPECT(UPDATED, update(0x200000, 1, 1, &fw), 0, 0, 1);
	EXPECT(UPDATED, update(FW_IMAGE, 1, 1, &fw), -EIO, 0, 0); /* added already */
	/* After the launch KVM has no check of its own: the firmware refuses a fresh page. */
	EXPECT(FINISHED, (bench_answer(PSP_LAUNCH_UPDATE, 2), update(0x200000, 1, 1, &fw)),
	       -EIO, 2, 1);
	EXPECT(FINISHED, update(FW_IMAGE, 1, 1, &fw), -EIO, 0, 0);
}

static void update_parameters(void **unused)
{
	(void)unused;
	for (unsigned type = 0; type < 9; type++) {
		bool good = type == 1 || (type >= 3 && type <= 6);

		EXPECT(STARTED, update(0x200000, 1, (uint8_t)type, &fw), good ? 0 : -EINVAL,
		       good ? 0 : -1, good ? 1 : 0);
	}
	EXPECT(STARTED, update_with(offsetof(struct uapi_snp_update, len), 1, &fw), -EINVAL, -1, 0);
	EXPECT(STARTED, update_with(offsetof(struct uapi_snp_update, flags), 1, &fw), -EINVAL, -1,
	       0);
	EXPECT(STARTED, update_with(offsetof(struct uapi_snp_update, uaddr), 1, &fw), -EINVAL, -1,
	       0);
	EXPECT(STARTED, update(MEMORY, 1, 1, &fw), -EINVAL, -1, 0);
	EXPECT(STARTED, update(~0xFFFull, 1, 1, &fw), -EINVAL, -1, 0);
	EXPECT(STARTED, (private_set_attributes(VM_FD, 0x200000, FW_PAGE, 0),
			 update(0x200000, 1, 1, &fw)), -EIO, 0, 0);
}

static void update_progress(void **unused)
{
	uint32_t fw;

	(void)unused;
	/* The second page is added already: one page done is a success. */
	bench_reach(STARTED);
	assert_int_equal(update(0x201000, 1, 1, &fw), 0);
	assert_int_equal(update(0x200000, 2, 1, &fw), 0);
	assert_int_equal(u.gfn_start, 0x201);
	assert_int_equal(u.len, FW_PAGE);
	assert_int_equal(u.uaddr, (uintptr_t)bench_source + FW_PAGE);
	assert_int_equal(sev_launch_update(VM_FD, -1, &u, &fw), -EIO);
	assert_int_equal(fw, 0);
	bench_leave();
	/* Past the end of the slot: clipped. */
	bench_reach(STARTED);
	assert_int_equal(update(MEMORY - FW_PAGE, 2, 3, &fw), 0);
	assert_int_equal(u.len, FW_PAGE);
	bench_leave();
	/* Contents arrive, in private memory and at the firmware. */
	bench_reach(STARTED);
	memset(bench_source[1], 0x5C, FW_PAGE);
	assert_int_equal(update(0x200000, 2, 1, &fw), 0);
	assert_memory_equal(model.gmem[0].map + 0x201000, bench_source[1], FW_PAGE);
	assert_memory_equal(bench_last_data, bench_source[1], FW_PAGE);
	assert_int_equal(bench_ram[0x201000], 0);
	bench_leave();
}

static void corrected_cpuid_page(void **unused)
{
	uint32_t fw;

	(void)unused;
	bench_reach(STARTED);
	bench_answer(PSP_LAUNCH_UPDATE, PSP_INVALID_PARAM);
	assert_int_equal(update(0x200000, 1, PSP_TYPE_CPUID, &fw), -EIO);
	assert_int_equal(fw, PSP_INVALID_PARAM);
	assert_int_equal(bench_source[0][7], 0xC0);
	bench_answer(0, 0);
	assert_int_equal(update(0x200000, 1, PSP_TYPE_CPUID, &fw), 0); /* it was reclaimed */
	bench_leave();
	/* Only a CPUID page comes back. */
	bench_reach(STARTED);
	bench_answer(PSP_LAUNCH_UPDATE, PSP_INVALID_PARAM);
	bench_source[0][7] = 1;
	assert_int_equal(update(0x200000, 1, PSP_TYPE_NORMAL, &fw), -EIO);
	assert_int_equal(bench_source[0][7], 1);
	bench_leave();
}

static struct uapi_snp_finish f;

static int finish(uint32_t *fw)
{
	memset(&f, 0, sizeof(f));
	return sev_launch_finish(VM_FD, -1, &f, fw);
}

static int finish_with_block(uint64_t block, uint32_t *fw)
{
	f = (struct uapi_snp_finish){ .id_block_en = 1, .id_block_uaddr = block,
				      .id_auth_uaddr = block };
	return sev_launch_finish(VM_FD, -1, &f, fw);
}

static int finish_with_flags(uint32_t *fw)
{
	f = (struct uapi_snp_finish){ .flags = 1 };
	return sev_launch_finish(VM_FD, -1, &f, fw);
}

static void finish_states(void **unused)
{
	(void)unused;
	EXPECT(CREATED, finish(&fw), -ENOTTY, -1, 0);
	EXPECT(INITED, finish(&fw), -EINVAL, -1, 0);
	EXPECT(UPDATED, finish(&fw), 0, 0, 2); /* one VMSA, then FINISH */
	EXPECT(UPDATED, (bench_add_vcpu(), finish(&fw)), 0, 0, 3);
	EXPECT(UPDATED, finish_with_flags(&fw), -EINVAL, -1, 0);
	EXPECT(UPDATED, finish_with_block(0, &fw), -EFAULT, 0, 1);
	EXPECT(UPDATED, finish_with_block((uint64_t)(uintptr_t)bench_source, &fw), 0, 0, 2);
	EXPECT(UPDATED, (bench_answer(PSP_LAUNCH_FINISH, 0xB), finish(&fw)), -EIO, 0xB, 2);
	EXPECT(UPDATED, (bench_answer(PSP_LAUNCH_UPDATE, 0x16), finish(&fw)), -EIO, 0x16, 1);
	/* No second try: its vCPUs are encrypted. */
	EXPECT(UPDATED, (bench_answer(PSP_LAUNCH_FINISH, 0xB), finish(&fw), finish(&fw)),
	       -EINVAL, -1, 2);
	EXPECT(FINISHED, finish(&fw), -EINVAL, -1, 0);
}

static void dead_processor(void **unused)
{
	uint32_t fw;

	(void)unused;
	bench_reach(UPDATED);
	shutdown(bench_psp_end, SHUT_RDWR);
	assert_int_equal(finish(&fw), -EBUSY);
	assert_int_equal(fw, SEV_FW_NONE);
	bench_leave();
}

static void sites_are_replaced(void **unused)
{
	const uint8_t patched[4] = { 0xE7, 0xE3, 0x90, 0x90 };
	uint32_t fw;

	(void)unused;
	bench_reach(FINISHED);
	assert_int_equal(model.site_count, 1);
	assert_memory_equal(model.gmem[0].map + FW_IMAGE + 0x200, patched, 4);
	assert_int_equal(model_site_at(FW_IMAGE + 0x200), 0);
	assert_int_equal(model_site_at(FW_IMAGE + 0x202), 0);
	assert_int_equal(model_site_at(FW_IMAGE + 0x201), -1);
	bench_leave();
	/* A table that is not true is refused, after the digest: the image is broken. */
	bench_reach(STARTED);
	bench_source[0][0x200] = 0x90;
	assert_int_equal(update(FW_IMAGE, 1, 1, &fw), 0);
	assert_int_equal(finish(&fw), -EIO);
	bench_leave();
}

static void memory_parameters(void **unused)
{
	static const struct {
		uint64_t gpa, size, offset;
		int rc;
	} row[] = {
		{ 0, 0x1000, 0, -EEXIST },
		{ MEMORY, 0x1000, 0, -EINVAL },          /* that part of the guest_memfd is bound */
		{ MEMORY, 0x1000, MEMORY, -EINVAL },     /* past its end */
		{ MEMORY, 0, MEMORY, -EINVAL },
		{ MEMORY + 1, 0x1000, 0, -EINVAL },
		{ 1ull << 51, 0x1000, 0, -EINVAL },
	};
	int fd;

	(void)unused;
	bench_reach(INITED);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(private_set_memory(VM_FD, 1, row[i].gpa, row[i].size,
						    (uint64_t)(uintptr_t)bench_ram, bench_gmem,
						    row[i].offset),
				 row[i].rc);
	assert_int_equal(private_set_memory(VM_FD, 1, MEMORY, 0x1000,
					    (uint64_t)(uintptr_t)bench_ram, 99, 0), -EINVAL);
	assert_int_equal(private_create_memfd(VM_FD, 0, &fd), -EINVAL);
	assert_int_equal(private_create_memfd(VM_FD, 100, &fd), -EINVAL);
	assert_int_equal(private_set_attributes(VM_FD, 0, 0, 8), -EINVAL);
	assert_int_equal(private_set_attributes(VM_FD, 0, 0x1000, 1), -EINVAL);
	assert_int_equal(private_set_attributes(VM_FD, 0x10, 0x1000, 8), -EINVAL);
	assert_int_equal(private_set_attributes(VM_FD, ~0xFFFull, 0x2000, 8), -EINVAL);
	assert_int_equal(private_set_attributes(VM_FD, 1ull << 40, 0x1000, 8), 0);
	assert_int_equal(private_discard(bench_gmem, 0, MEMORY + 0x1000), -EINVAL);
	assert_int_equal(private_discard(bench_gmem + 1, 0, 0x1000), -EBADF);
	bench_leave();
}

/* Golden page of a QEMU reset vCPU is for the real path; here each field that a vCPU can have. */
static void vmsa_fields(void **unused)
{
	static const struct {
		unsigned offset, size;
		uint64_t value;
	} row[] = {
		{ 0x10, 2, 0x10 }, { 0x12, 2, 0xA9B }, { 0x14, 4, 0xFFFFFFFF }, { 0x00, 2, 0x18 },
		{ 0x02, 2, 0xC93 }, { 0x04, 4, 0xFFFFFFFF },
		{ 0x64, 4, 0x1F }, { 0x68, 8, 0x1234 }, { 0xD0, 8, 0x1D00 },
		{ 0x148, 8, 0x60 }, { 0x150, 8, 0x101000 }, { 0x158, 8, 0x80000031 },
		{ 0x160, 8, 0x400 }, { 0x168, 8, 0xFFFF0FF0 }, { 0x170, 8, 2 },
		{ 0x178, 8, 0x100040 }, { 0x1D8, 8, 0x180000 }, { 0x1F8, 8, 0x11 },
		{ 0x268, 8, 0x1122 },
		{ 0x308, 8, 0x22 }, { 0x310, 8, 0x33 }, { 0x378, 8, 0x44 }, { 0x3B0, 8, 0x21 },
		{ 0x3E8, 8, 1 }, { 0x408, 4, 0x1F80 }, { 0x410, 2, 0x37F },
	};
	struct model_vcpu v = { 0 };
	uint8_t page[4096];

	(void)unused;
	v.sregs.cs = (struct kvm_segment){ .limit = 0xFFFFFFFF, .selector = 0x10, .type = 11,
					   .present = 1, .s = 1, .l = 1, .g = 1 };
	v.sregs.es = (struct kvm_segment){ .limit = 0xFFFFFFFF, .selector = 0x18, .type = 3,
					   .present = 1, .s = 1, .db = 1, .g = 1 };
	v.sregs.gdt = (struct kvm_dtable){ .base = 0x1234, .limit = 0x1F };
	v.sregs.efer = 0xD00;
	v.sregs.cr0 = 0x80000031;
	v.sregs.cr3 = 0x101000;
	v.sregs.cr4 = 0x20;
	v.regs = (struct kvm_regs){ .rip = 0x100040, .rsp = 0x180000, .rflags = 2, .rax = 0x11,
				    .rcx = 0x22, .rdx = 0x33, .r15 = 0x44 };
	v.pat = 0x1122;
	v.has_pat = true;
	model_make_vmsa(&v, 0x21, page);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t value = 0;

		memcpy(&value, page + row[i].offset, row[i].size);
		if (value != row[i].value)
			fail_msg("offset %#x: %#llx", row[i].offset, (unsigned long long)value);
		memset(page + row[i].offset, 0, row[i].size);
	}
	for (unsigned i = 0; i < sizeof(page); i++)
		if (page[i] != 0)
			fail_msg("offset %#x is not zero", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init2),
		cmocka_unit_test(start),
		cmocka_unit_test(update_states),
		cmocka_unit_test(update_parameters),
		cmocka_unit_test(update_progress),
		cmocka_unit_test(corrected_cpuid_page),
		cmocka_unit_test(finish_states),
		cmocka_unit_test(dead_processor),
		cmocka_unit_test(sites_are_replaced),
		cmocka_unit_test(memory_parameters),
		cmocka_unit_test(vmsa_fields),
	};

	if (!bench_make_ram())
		return 1;
	return cmocka_run_group_tests_name("model_launch", tests, NULL, NULL);
}
