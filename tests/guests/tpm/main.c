/* One command through the TPM's command response buffer, then its answer. */
#include "tests/guests/lib/guest.h"

#define CRB(offset) (TPM_CRB_BASE + (offset))

static const uint8_t get_capability[] = { /* TPM2_GetCapability(TPM_PT_FAMILY_INDICATOR), 1 */
	0x80, 0x01, 0, 0, 0, 22, 0, 0, 1, 0x7A, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 0, 1,
};

void guest_main(void)
{
	const volatile struct fw_boot_block *b = (const volatile void *)(uint64_t)FW_BOOT_BLOCK;

	put_value("flags", b->flags);
	mmio_write32(CRB(0x08), 1); /* request locality 0 */
	put_value("granted", mmio_read32(CRB(0x0C)));
	mmio_write32(CRB(0x40), 1); /* ready */
	put_value("status", mmio_read32(CRB(0x44)));
	for (unsigned i = 0; i < sizeof(get_capability); i++)
		mmio_write8(CRB(0x80 + i), get_capability[i]);
	put_text("start\n");
	mmio_write32(CRB(0x4C), 1);
	put_value("busy", mmio_read32(CRB(0x4C)));
	put_value("size", __builtin_bswap32(mmio_read32(CRB(0x82))));
	put_value("code", __builtin_bswap32(mmio_read32(CRB(0x86))));
	put_value("last", mmio_read8(CRB(0x80 + 26)));
	power_off();
}
