/* Two processors were launched, and only the first runs: the others wait for the kernel. */
#include "tests/model/guests/lib/snp.h"

void guest_main(void)
{
	ghcb_open();
	put_text("alone\n");
	power_off();
}
