/* A secret in private memory; waits for the test at each step, through the shared boot block page. */
#include "tests/model/guests/lib/tdx.h"

#define STEP (SHARED_VIEW + FW_BOOT_BLOCK + 0xF00)

static void wait_for(uint64_t step)
{
	while (*at(STEP) != step)
		;
}

void guest_main(void)
{
	uint64_t first = 0x6b61656c206f4e20ull;

	(void)td_accept(0x400000, 1);
	/* Made here, so that the image in the plan does not contain it. */
	for (unsigned i = 0; i < 4; i++)
		*at(0x412340 + 8 * i) = first ^ (0x0101010101010101ull * (i + 1));
	put_text("written\n");
	wait_for(1);
	fold();
	put_text("folded\n");
	wait_for(2);
	put_value("private alias", *at(0x412340));
	put_value("shared alias", *at(SHARED_VIEW + 0x412340));
	power_off();
}
