/* An access without S-bit to a page whose attribute is shared. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	put_text("reading\n");
	put_value("read", *at(FW_BOOT_BLOCK));
	power_off();
}
