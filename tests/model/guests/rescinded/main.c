/* Uses a page after it was unvalidated. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	ghcb_open();
	(void)pvalidate(0x190000, 0, 1);
	*at(0x190000) = 1;
	put_value("validated", *at(0x190000));
	(void)pvalidate(0x190000, 0, 0);
	*at(0x190000) = 2;
	put_text("written\n");
	power_off();
}
