/* Asks for a report before the fold: those ports do not exist then. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	ghcb_open();
	put_text("asking\n");
	put_value("status", in32(0x5E0));
	power_off();
}
