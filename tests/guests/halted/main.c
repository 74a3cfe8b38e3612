/* Sleeps with interrupts off: in the kernel for ever, somebody must stop it. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	put_text("halt\n");
	hang();
}
