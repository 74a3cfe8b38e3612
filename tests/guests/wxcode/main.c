/* Writing to a code page must trap: the RAM is writable, the page tables are what protects. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	put_text("write\n");
	mmio_write32(0x100000, 0x90909090);
	put_text("written\n");
	power_off();
}
