/* A page goes shared and comes back: what was accepted is accepted no more. */
#include "tests/model/guests/lib/tdx.h"

void guest_main(void)
{
	(void)td_accept(0x190000, 0);
	(void)td_vmcall(CALL_MAP_GPA, 0x190000 | S_BIT, 0x1000, 0, 0, 0);
	(void)td_vmcall(CALL_MAP_GPA, 0x190000, 0x1000, 0, 0, 0);
	put_text("replaced\n");
	put_value("read", *at(0x190000));
	power_off();
}
