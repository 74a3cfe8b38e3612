/* No IDT, then an exception: nothing can be delivered, the processor shuts down. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	put_text("fault\n");
	__asm__ volatile("lidt %0" : : "m"(none));
	__asm__ volatile("ud2");
	put_text("survived\n");
	power_off();
}
