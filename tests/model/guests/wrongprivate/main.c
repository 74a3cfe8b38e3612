/* A private access to a page that is shared. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	ghcb_open();
	(void)ghcb_psc(0x190000, 0, 0);
	put_text("reading\n");
	put_value("read", *at(0x190000));
	power_off();
}
