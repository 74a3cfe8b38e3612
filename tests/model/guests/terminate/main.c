/* Ends itself with stop code 7 of the firmware's set. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	(void)ghcb_msr(0x100 | 3u << 12 | 7u << 16);
	ghcb_open();
	put_text("still here\n");
	power_off();
}
