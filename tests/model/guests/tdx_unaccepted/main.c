/* An access to a private page that was never accepted. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	put_text("reading\n");
	put_value("read", *at(0x190000));
	power_off();
}
