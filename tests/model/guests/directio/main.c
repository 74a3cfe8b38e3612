/* An OUT without a GHCB. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	ghcb_open();
	put_text("direct\n");
	out32(FW_GHCB ? 0x3F8 : 0, 'x');
	put_text("written\n");
	power_off();
}
