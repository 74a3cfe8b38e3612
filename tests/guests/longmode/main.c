/* The start state: 64-bit mode on the plan's page tables, and what the boot block says. */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
	const volatile struct fw_boot_block *b = (const volatile void *)(uint64_t)FW_BOOT_BLOCK;
	uint64_t cr0, cr3, cr4;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	put_text("hello\n");
	put_value("paging", cr0 >> 31 & 1);
	put_value("write protect", cr0 >> 16 & 1);
	put_value("cr3", cr3);
	put_value("pae", cr4 >> 5 & 1);
	put_value("efer", rdmsr(0xC0000080) & 0xD00);
	put_value("block size", b->size);
	put_value("flags", b->flags);
	put_value("cpus", b->cpu_count);
	put_value("slots", b->pci_slots);
	for (uint32_t i = 0; i < b->ram_count && i < FW_BOOT_RAM_MAX; i++) {
		put_value("base", b->ram[i].base);
		put_value("size", b->ram[i].size);
	}
	for (uint32_t i = 0; i < b->cpu_count && i < FW_BOOT_CPU_MAX; i++)
		put_value("apic", b->apic_id[i]);
	power_off();
}
