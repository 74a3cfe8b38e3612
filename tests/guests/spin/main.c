/* Never ends by itself: somebody must stop it. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	put_text("spin\n");
	for (;;)
		__asm__ volatile("pause");
}
