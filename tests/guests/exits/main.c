/* Accesses nobody answers: reads give all ones, writes vanish. */
#include "tests/guests/lib/guest.h"

#define NOBODY_PORT 0x2F8u
#define NOBODY_MMIO 0xD0000000u /* in the hole, behind the PCI window's first 256 MiB */

void guest_main(void)
{
	out8(NOBODY_PORT, 1);
	out32(NOBODY_PORT, 1);
	put_value("in8", in8(NOBODY_PORT));
	put_value("in16", in16(NOBODY_PORT));
	put_value("in32", in32(NOBODY_PORT));
	put_value("in16 across the end of the uart", in16(UART_PORT + 7));
	mmio_write32(NOBODY_MMIO, 5);
	put_value("read8", mmio_read8(NOBODY_MMIO));
	put_value("read16", mmio_read16(NOBODY_MMIO));
	put_value("read32", mmio_read32(NOBODY_MMIO));
	put_value("read64", mmio_read64(NOBODY_MMIO));
	put_value("read64 across a page", mmio_read64(NOBODY_MMIO + 0xFFD));
	mmio_write32(IOAPIC_BASE, 1);
	put_value("ioapic version", mmio_read32(IOAPIC_BASE + 0x10));
	put_value("tpm", mmio_read32(TPM_CRB_BASE));
	power_off();
}
