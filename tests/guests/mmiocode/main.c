/* Runs instructions from where there is neither RAM nor device: no KVM can fetch them. */
#include "tests/guests/lib/guest.h"

#define NOBODY 0xD0000000u
#define PDE_PRESENT_WRITE_LARGE 0x83u

extern uint64_t pd0[2048]; /* lib/start.S: one entry for each 2 MiB up to 4 GiB */

void guest_main(void)
{
	put_text("jump\n");
	pd0[NOBODY >> 21] = NOBODY | PDE_PRESENT_WRITE_LARGE; /* executable */
	__asm__ volatile("invlpg (%0)" : : "r"((uint64_t)NOBODY) : "memory");
	((void (*)(void))(uint64_t)NOBODY)();
	put_text("returned\n");
	power_off();
}
