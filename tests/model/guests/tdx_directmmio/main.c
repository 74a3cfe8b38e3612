/* A device read without TDVMCALL. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	put_text("direct\n");
	put_value("read", *at(SHARED_VIEW + IOAPIC_BASE));
	power_off();
}
