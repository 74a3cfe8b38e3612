/* Running a data page must trap. */
#include "tests/guests/lib/guest.h"

static uint8_t code[16];

void guest_main(void)
{
	code[0] = 0xC3; /* ret */
	put_text("call\n");
	((void (*)(void))(uint64_t)code)();
	put_text("returned\n");
	power_off();
}
