/* The guest says why it ends. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	(void)td_vmcall(CALL_FATAL, 0x50560000 | 0xA2, 0, 0, 0, 0);
	put_text("still");
	power_off();
}
