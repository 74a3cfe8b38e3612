/* After the hand-over the stop port belongs to Linux, which uses it for delays. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	out32(PORT_STOP, STOP_MAGIC | STOP_HANDED_OVER);
	out32(PORT_STOP, STOP_MAGIC | STOP_KERNEL_HASH);
	put_text("still here\n");
	power_off();
}
