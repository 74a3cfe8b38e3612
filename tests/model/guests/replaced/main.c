/* The host takes a validated page away and gives another: what the guest asked it to do here, as a
 * hostile host would unasked. The new page is not validated. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	ghcb_open();
	(void)pvalidate(0x190000, 0, 1);
	*at(0x190000) = 1;
	(void)ghcb_psc(0x190000, 0, 0);
	(void)ghcb_psc(0x190000, 1, 0);
	put_text("replaced\n");
	put_value("read", *at(0x190000));
	power_off();
}
