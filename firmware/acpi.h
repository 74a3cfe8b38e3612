/* ACPI tables as a pure function of boot block and kind of machine. The firmware puts the bytes at
 * FW_ACPI; the verifier builds the same bytes to predict PCR 1. No host AML exists anywhere: the
 * DSDT is one of two constants made from dsdt.asl at build time. */
#ifndef PAVISE_FIRMWARE_ACPI_H
#define PAVISE_FIRMWARE_ACPI_H

#include "firmware/layout.h"

#include <stddef.h>
#include <stdint.h>

/* The RSDP stands first, so this is also its guest-physical address. */
#define FW_ACPI_RSDP FW_ACPI

/* Fills out (cap bytes; the firmware offers FW_ACPI_SIZE) with the RSDP and all tables, each
 * 16-byte aligned with zeros between, all addresses relative to FW_ACPI. *b must have passed
 * fw_boot_block_check. A trust domain's also announce wakeup mailbox and CC log. *size: bytes that
 * the "pavise-acpi" event covers. 0, or -1 when cap is too small; then *size is untouched. */
int fw_acpi_build(const struct fw_boot_block *b, enum fw_variant variant, uint8_t *out, size_t cap,
		  size_t *size);

#endif
