/* What only the VMM can tell in CPUID. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	put_value("apic", r[1] >> 24);
	put_value("hypervisor", r[2] >> 31);
	cpuid(0xA, 0, r);
	put_value("pmu", r[0] | r[1] | r[2] | r[3]);
	cpuid(0x40000000, 0, r);
	put_value("kvm", r[1] == 0x4B4D564B);
	put_value("misc enable", rdmsr(0x1A0) & 1);
	put_value("mtrr", rdmsr(0x2FF) & 0xFFF);
	power_off();
}
