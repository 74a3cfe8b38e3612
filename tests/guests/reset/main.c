/* Writes that must not reset, then the one that does. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	out8(PORT_RESET, 0);
	out8(PORT_SLEEP_CONTROL, 0x14); /* a sleep type without its enable bit */
	put_text("reset\n");
	reset();
}
