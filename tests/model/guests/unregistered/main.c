/* VMGEXIT with a page the guest never registered. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	(void)pvalidate(FW_GHCB, 0, 0);
	(void)ghcb_msr(FW_GHCB | 2ull << 52 | 0x14);
	put_text("x");
	power_off();
}
