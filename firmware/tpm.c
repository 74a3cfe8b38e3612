#include "firmware/tpm.h"

#include "firmware/confidential.h"
#include "firmware/layout.h"
#include "firmware/machine.h"
#include "firmware/tpmcmd.h"

#include <stdbool.h>
#include <string.h>

/* Registers of locality 0, PTP 1.05 §6.5.3. */
#define LOC_CTRL      0x08u
#define LOC_STS       0x0Cu
#define INTF_ID       0x30u
#define CTRL_REQ      0x40u
#define CTRL_STS      0x44u
#define CTRL_START    0x4Cu
#define CTRL_CMD_SIZE 0x58u
#define CTRL_CMD_LOW  0x5Cu
#define CTRL_CMD_HIGH 0x60u
#define CTRL_RSP_SIZE 0x64u
#define CTRL_RSP_ADDR 0x68u

#define LOC_CTRL_REQUEST    1u
#define LOC_CTRL_RELINQUISH 2u
#define LOC_STS_GRANTED     1u
#define INTF_TYPE_MASK      0xFu
#define INTF_TYPE_CRB       1u
#define REQ_READY           1u
#define REQ_IDLE            2u
#define STS_ERROR           1u
#define STS_IDLE            2u

/* Each poll leaves the guest: a microsecond at the very least, so this is a second or more. The
 * firmware has no clock it may believe. */
#define POLLS 1000000u

static uint32_t rsp_offset;

#if VARIANT != VARIANT_PLAIN
/* The device is the host's: every access is a call to it, and nothing here raises #VC or #VE. */
static uint32_t reg(uint32_t offset)
{
	return cc_mmio_read(TPM_CRB_BASE + offset);
}

static void set_reg(uint32_t offset, uint32_t value)
{
	cc_mmio_write(TPM_CRB_BASE + offset, value);
}
#else
static uint32_t reg(uint32_t offset)
{
	return *(volatile uint32_t *)(uintptr_t)(TPM_CRB_BASE + offset);
}

static void set_reg(uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)(TPM_CRB_BASE + offset) = value;
}
#endif

static void wait_for(uint32_t offset, uint32_t mask, uint32_t value)
{
	for (uint32_t i = 0; i < POLLS; i++) {
		if ((reg(offset) & mask) == value)
			return;
		__asm__ volatile("pause");
	}
	stop(STOP_TPM_TIMEOUT);
}

/* The buffer a register pair names must hold `need` bytes inside the locality's page. */
static uint32_t buffer_offset(uint64_t address, uint32_t size, uint32_t need)
{
	const uint64_t first = TPM_CRB_BASE + 0x80, end = TPM_CRB_BASE + FW_PAGE;

	if (address < first || address % 4 != 0 || size < need || address > end ||
	    size > end - address)
		stop(STOP_TPM_RESPONSE);
	return (uint32_t)(address - TPM_CRB_BASE);
}

static uint32_t cmd_offset;

void tpm_open(void)
{
	uint64_t cmd, rsp;

	/* Absent registers read as all ones. */
	if ((reg(INTF_ID) & INTF_TYPE_MASK) != INTF_TYPE_CRB)
		stop(STOP_TPM_ABSENT);
	set_reg(LOC_CTRL, LOC_CTRL_REQUEST);
	wait_for(LOC_STS, LOC_STS_GRANTED, LOC_STS_GRANTED);
	set_reg(CTRL_REQ, REQ_READY);
	wait_for(CTRL_REQ, REQ_READY, 0);
	wait_for(CTRL_STS, STS_IDLE | STS_ERROR, 0);
	cmd = reg(CTRL_CMD_LOW) | (uint64_t)reg(CTRL_CMD_HIGH) << 32;
	rsp = reg(CTRL_RSP_ADDR) | (uint64_t)reg(CTRL_RSP_ADDR + 4) << 32;
	cmd_offset = buffer_offset(cmd, reg(CTRL_CMD_SIZE), TPM_EXTEND_SIZE);
	rsp_offset = buffer_offset(rsp, reg(CTRL_RSP_SIZE), TPM_EXTEND_RESPONSE);
}

void tpm_extend(uint32_t pcr, const struct fw_digests *digests)
{
	uint32_t words[(TPM_EXTEND_SIZE + 3) / 4] = { 0 }, header[(TPM_HEADER_SIZE + 3) / 4];
	enum fw_stop status;

	tpm_extend_command((uint8_t *)words, pcr, digests);
	for (uint32_t i = 0; i < sizeof(words) / 4; i++)
		set_reg(cmd_offset + 4 * i, words[i]);
	set_reg(CTRL_START, 1);
	wait_for(CTRL_START, 1, 0);
	if ((reg(CTRL_STS) & STS_ERROR) != 0)
		stop(STOP_TPM_ERROR);
	for (uint32_t i = 0; i < sizeof(header) / 4; i++)
		header[i] = reg(rsp_offset + 4 * i);
	status = tpm_extend_response((const uint8_t *)header);
	if (status != STOP_HANDED_OVER)
		stop(status);
}

void tpm_close(void)
{
	set_reg(CTRL_REQ, REQ_IDLE);
	wait_for(CTRL_REQ, REQ_IDLE, 0);
	set_reg(LOC_CTRL, LOC_CTRL_RELINQUISH);
}
