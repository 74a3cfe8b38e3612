/* An OUT without TDVMCALL. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	put_text("direct\n");
	out32(UART_PORT, 0x78);
	put_text("written\n");
	power_off();
}
