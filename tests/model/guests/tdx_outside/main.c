/* A private access where there is no RAM. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	put_text("reading\n");
	put_value("read", *at(0xC0000000));
	power_off();
}
