/* TDG.MEM.PAGE.ACCEPT of a page whose attribute is shared. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	put_text("accepting\n");
	put_value("accept", td_accept(FW_BOOT_BLOCK, 0));
	power_off();
}
