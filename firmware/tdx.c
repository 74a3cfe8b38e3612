#include "firmware/tdx.h"

#include "firmware/accept_tdx.h"
#include "firmware/confidential.h"
#include "firmware/machine.h"
#include "firmware/tdcall.h"

#include <stddef.h>
#include <string.h>

extern const uint8_t image_end[];

static struct accept_tdx accept;
static struct tdx_ops ops;
/* TDG.MR.RTMR.EXTEND wants 64-byte alignment. */
static uint8_t extend_buffer[48] __attribute__((aligned(64)));

static void require(enum fw_stop status)
{
	if (status != STOP_HANDED_OVER)
		stop(status);
}

static uint64_t call(void *ctx, uint64_t leaf, struct tdx_regs *r)
{
	(void)ctx;
	return tdx_call(leaf, r);
}

void tdx_open(void)
{
	const uint64_t *mailbox = (const uint64_t *)(uintptr_t)FW_MAILBOX;

	ops.call = call;
	accept.ops = &ops;
	require(tdx_check_domain(&ops));
	for (size_t i = 0; i < FW_PAGE / sizeof(*mailbox); i++)
		if (mailbox[i] != 0)
			stop(STOP_TDX_MAILBOX);
	require(accept_launched(&accept.record, FW_IMAGE, (uintptr_t)image_end));
	require(accept_launched(&accept.record, FW_SCRATCH, FW_BOOT_BLOCK));
	require(accept_launched(&accept.record, FW_MAILBOX, FW_MAILBOX + FW_PAGE));
}

void tdx_check_cpus(const struct fw_boot_block *b)
{
	for (uint32_t i = 0; i < b->cpu_count; i++)
		if (b->apic_id[i] != i)
			stop(STOP_BOOT_CPUS);
}

void tdx_extend(unsigned rtmr, const uint8_t digest[48])
{
	memcpy(extend_buffer, digest, sizeof(extend_buffer));
	require(tdx_rtmr_extend(&ops, rtmr, (uintptr_t)extend_buffer));
}

/* The first 2 MiB, around what the launch holds. [0xA0000, 1 MiB) too, though no RAM is said to be
 * there: Linux looks for ROMs and tables of a PC in it, and a touch of memory that was not accepted
 * ends a trust domain. The boot block's page was shared; its copy is taken. */
static void accept_low(void)
{
	require(accept_tdx_range(&accept, 0, FW_IMAGE));
	require(accept_tdx_range(&accept, (uintptr_t)image_end, FW_SCRATCH));
	require(accept_tdx_shared(&accept, FW_BOOT_BLOCK, FW_BOOT_BLOCK + FW_PAGE));
	require(accept_tdx_range(&accept, FW_BOOT_BLOCK + FW_PAGE, FW_MAILBOX));
	require(accept_tdx_range(&accept, FW_MAILBOX + FW_PAGE, FW_RESERVED_END));
}

void cc_accept_ram(const struct fw_boot_block *b, uint64_t staging_end)
{
	accept_low();
	require(accept_tdx_ram(&accept, b, staging_end));
	paging_staging_shared(staging_end);
}

void cc_accept_staging(uint64_t staging_end)
{
	paging_staging_shared(0);
	require(accept_tdx_shared(&accept, FW_STAGING, staging_end));
}

void cc_close(void)
{
	require(tdvmcall_port_write(&ops, PORT_STOP, STOP_MAGIC | STOP_HANDED_OVER));
}

uint32_t cc_mmio_read(uint64_t gpa)
{
	uint32_t value = 0;

	require(tdvmcall_mmio_read(&ops, gpa, &value));
	return value;
}

void cc_mmio_write(uint64_t gpa, uint32_t value)
{
	require(tdvmcall_mmio_write(&ops, gpa, value));
}
