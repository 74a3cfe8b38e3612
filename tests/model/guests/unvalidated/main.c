/* Reads a private page that was never validated. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	ghcb_open();
	put_text("reading\n");
	put_value("read", *at(0x190000));
	power_off();
}
