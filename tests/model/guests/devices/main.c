/* Devices through the GHCB page: MMIO and port reads and writes, and calls that are refused. */
#include "tests/model/guests/lib/snp.h"

#define MMIO_READ  0x80000001
#define MMIO_WRITE 0x80000002
#define IOIO       0x7B
#define IOIO_IN    1

static uint64_t mmio_read(uint64_t gpa, unsigned size, uint64_t *info1)
{
	*ghcb_buffer(0) = 0;
	return ghcb_call(MMIO_READ, gpa, size, 0, info1);
}

void guest_main(void)
{
	uint64_t info1 = 0, info2;

	ghcb_open();
	/* The IOAPIC's register 1 is its version. */
	*ghcb_buffer(0) = 1;
	put_value("write", ghcb_call(MMIO_WRITE, IOAPIC_BASE, 4, 0, &info1));
	info2 = mmio_read(IOAPIC_BASE + 0x10, 4, &info1);
	uint64_t version = *ghcb_buffer(0);
	put_value("read", info2);
	put_value("version", version);
	(void)mmio_read(0xD0000000, 8, &info1);
	uint64_t nobody = *ghcb_buffer(0);
	put_value("nobody", nobody);
	put_value("too long", mmio_read(IOAPIC_BASE, 9, &info1));
	put_value("refused", info1);
	(void)ghcb_call(IOIO, (uint64_t)0x3FD << 16 | 1 << 4 | IOIO_IN, 0, 0xAAAAAA00, &info1);
	uint64_t rax = *at(SHARED_VIEW + FW_GHCB + 0x1F8);
	put_value("uart status", rax);
	put_value("string", ghcb_call(IOIO, (uint64_t)0x3F8 << 16 | 1 << 4 | 4, 0, 0, &info1));
	power_off();
}
