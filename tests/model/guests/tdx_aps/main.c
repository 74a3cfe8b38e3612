/* The second processor waits for the mailbox; it starts after the fold, as the kernel starts it. */
#include "tests/model/guests/lib/tdx.h"

static volatile uint32_t said;

static void second(void)
{
	said = 0x5EC0;
	for (;;)
		__asm__ volatile("pause");
}

void guest_main(void)
{
	volatile uint64_t *mailbox = at(FW_MAILBOX);

	put_text("alone\n");
	mailbox[1] = (uint64_t)second;
	mailbox[0] = 1ull << 32 | 1;
	for (unsigned i = 0; i < 100000; i++)
		__asm__ volatile("pause");
	put_value("before the fold", said);
	fold();
	for (unsigned i = 0; said == 0 && i < 100000000; i++)
		__asm__ volatile("pause");
	put_value("after the fold", said);
	put_value("command", mailbox[0] & 0xFFFF);
	power_off();
}
