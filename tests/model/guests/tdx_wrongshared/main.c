/* An access with S-bit to a private page: what is in it must not come back. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	put_text("reading\n");
	put_value("read", *at(SHARED_VIEW + FW_IMAGE));
	power_off();
}
