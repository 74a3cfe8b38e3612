#include "firmware/snp.h"

#include "firmware/accept_snp.h"
#include "firmware/confidential.h"
#include "firmware/ghcb.h"
#include "firmware/machine.h"
#include "firmware/snp_ops.h"

#include <stddef.h>

#define MSR_GHCB       0xC0010130u
#define MSR_SEV_STATUS 0xC0010131u

/* SEV_STATUS (AMD APM vol. 2 §15.34.10): bits 0 to 2, then sev_features from bit 3 on. Linux ends
 * itself on most of them, and each changes what a host may do. */
#define STATUS_SNP      4ull
#define STATUS_EXPECTED 7ull

#define RMPADJUST_VMPL1 1u /* target VMPL 1, no permissions */

extern const uint8_t image_start[], image_end[];
extern uint8_t scratch_start[];

static struct accept_snp accept;
static struct snp_ops ops;

static void require(enum fw_stop status)
{
	if (status != STOP_HANDED_OVER)
		stop(status);
}

static uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return low | (uint64_t)high << 32;
}

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static uint64_t msr_call(void *ctx, uint64_t value)
{
	(void)ctx;
	write_msr(MSR_GHCB, value);
	snp_vmgexit();
	return read_msr(MSR_GHCB);
}

static void page_call(void *ctx)
{
	(void)ctx;
	write_msr(MSR_GHCB, FW_GHCB);
	snp_vmgexit();
}

static void share_ghcb(void *ctx)
{
	(void)ctx;
	paging_map_ghcb();
}

static void map(void *ctx, uint64_t gpa, bool large)
{
	(void)ctx;
	paging_map_unit(gpa, large);
}

static void unmap(void *ctx, uint64_t gpa, bool large)
{
	(void)ctx;
	paging_unmap_unit(gpa, large);
}

static uint64_t pvalidate(void *ctx, uint64_t gpa, bool large, bool validate)
{
	(void)ctx;
	return snp_pvalidate(gpa, large, validate);
}

static void touch(void *ctx, uint64_t gpa, unsigned pages)
{
	uint64_t at = gpa;

	(void)ctx;
	for (unsigned i = 0; i < pages; i++, at += FW_PAGE)
		__asm__ volatile("movb (%0), %%al\n\tmovb 4095(%0), %%al" : : "r"(at) : "rax");
}

void snp_check_processor(void)
{
	uint64_t status = read_msr(MSR_SEV_STATUS);

	if ((status & STATUS_SNP) == 0)
		stop(STOP_SNP_ABSENT);
	if (status != STATUS_EXPECTED)
		stop(STOP_SNP_FEATURES);
	/* Only a higher level may change the rights of a lower one. */
	if (snp_rmpadjust((uintptr_t)scratch_start, 0, RMPADJUST_VMPL1) != 0)
		stop(STOP_SNP_VMPL);
}

void snp_open(bool touch_pages)
{
	ops = (struct snp_ops){
		.ghcb = (volatile uint8_t *)(uintptr_t)FW_GHCB,
		.msr_call = msr_call,
		.page_call = page_call,
		.share_ghcb = share_ghcb,
		.map = map,
		.unmap = unmap,
		.pvalidate = pvalidate,
		.touch = touch,
	};
	require(ghcb_open(&ops));
	accept_snp_init(&accept, &ops, touch_pages);
	require(accept_launched(&accept.record, FW_IMAGE, (uintptr_t)image_end));
	require(accept_launched(&accept.record, FW_SCRATCH, FW_BOOT_BLOCK));
	require(accept_launched(&accept.record, FW_CPUID_PAGE, FW_GHCB));
}

/* The first 2 MiB, around what the launch holds. [0xA0000, 1 MiB) stays invalid: no RAM is said to
 * be there. The boot block's page was shared; its copy is taken. */
static void accept_low(void)
{
	require(accept_snp_range(&accept, 0, FW_LOW_RAM_END));
	require(accept_snp_range(&accept, (uintptr_t)image_end, FW_SCRATCH));
	require(accept_snp_range(&accept, FW_BOOT_BLOCK, FW_BOOT_BLOCK + FW_PAGE));
	require(accept_snp_range(&accept, FW_CC_BLOB, FW_RESERVED_END));
}

void cc_accept_ram(const struct fw_boot_block *b, uint64_t staging_end)
{
	accept_low();
	require(accept_snp_ram(&accept, b, staging_end));
	paging_staging_shared(staging_end);
}

void cc_accept_staging(uint64_t staging_end)
{
	paging_staging_shared(0);
	require(accept_snp_range(&accept, FW_STAGING, staging_end));
	require(accept_snp_flush(&accept));
}

void cc_close(void)
{
	require(ghcb_port_write(&ops, PORT_STOP, STOP_MAGIC | STOP_HANDED_OVER));
	require(accept_snp_ghcb(&accept));
}

uint32_t cc_mmio_read(uint64_t gpa)
{
	uint32_t value = 0;

	require(ghcb_mmio_read(&ops, gpa, &value));
	return value;
}

void cc_mmio_write(uint64_t gpa, uint32_t value)
{
	require(ghcb_mmio_write(&ops, gpa, value));
}
