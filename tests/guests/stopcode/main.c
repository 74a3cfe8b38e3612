/* The firmware's way to stop: only the 32-bit write with the magic counts. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	out8(PORT_STOP, STOP_KERNEL_HASH);
	out32(PORT_STOP, STOP_KERNEL_HASH);
	put_text("stop\n");
	stop(STOP_KERNEL_HASH);
}
