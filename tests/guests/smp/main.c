/* A second processor, woken by INIT and SIPI: real mode at 0x8000, then 64-bit mode. */
#include "tests/guests/lib/guest.h"

extern const uint8_t trampoline[], trampoline_end[];
extern volatile uint32_t second_cpu_id;

#define TRAMPOLINE 0x8000u
#define ICR_LOW  0x300u
#define ICR_HIGH 0x310u
#define ICR_INIT 0x4500u
#define ICR_SIPI (0x4600u | TRAMPOLINE >> 12)

void guest_main(void)
{
	/* As numbers: to C the two symbols are different objects. */
	uint64_t n = (uintptr_t)trampoline_end - (uintptr_t)trampoline;

	for (uint64_t i = 0; i < n; i++)
		mmio_write8(TRAMPOLINE + i, trampoline[i]);
	lapic_enable();
	put_text("wake\n");
	mmio_write32(LAPIC_BASE + ICR_HIGH, 1u << 24);
	mmio_write32(LAPIC_BASE + ICR_LOW, ICR_INIT);
	mmio_write32(LAPIC_BASE + ICR_HIGH, 1u << 24);
	mmio_write32(LAPIC_BASE + ICR_LOW, ICR_SIPI);
	while (second_cpu_id == 0)
		__asm__ volatile("pause");
	put_value("second", second_cpu_id);
	power_off();
}
