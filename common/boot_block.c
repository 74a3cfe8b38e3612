#include "common/boot_block.h"

#include <string.h>

/* The highest guest-physical address any of our machines uses (firmware: 2^46). */
#define RAM_END_MAX (1ull << 46)

static int check(uint64_t memory, uint32_t cpus, uint32_t pci_slots, struct err *e)
{
	if (memory % FW_RAM_ALIGN != 0)
		return err_set(e, EX_USAGE_ERROR,
			       "memory: %llu bytes: not a multiple of 2 MiB: round it up",
			       (unsigned long long)memory);
	if (memory <= FW_RESERVED_END)
		return err_set(e, EX_USAGE_ERROR,
			       "memory: %llu bytes: the firmware alone needs more than 2 MiB",
			       (unsigned long long)memory);
	if (memory > RAM_END_MAX - (MMIO_HOLE_END - MMIO_HOLE_BASE))
		return err_set(e, EX_USAGE_ERROR,
			       "memory: %llu bytes: ends above guest-physical 2^46",
			       (unsigned long long)memory);
	if (cpus == 0 || cpus > FW_BOOT_CPU_MAX)
		return err_set(e, EX_USAGE_ERROR, "cpus: %u: give 1 to %u", cpus, FW_BOOT_CPU_MAX);
	if (pci_slots > PCI_SLOT_MAX)
		return err_set(e, EX_USAGE_ERROR, "pci slots: %u: give 0 to %u", pci_slots,
			       PCI_SLOT_MAX);
	return 0;
}

int boot_block_fill(struct fw_boot_block *out, uint64_t memory, uint32_t cpus, int tpm,
		    uint32_t pci_slots, struct err *e)
{
	int r = check(memory, cpus, pci_slots, e);

	if (r < 0)
		return r;
	uint64_t low_end = memory < MMIO_HOLE_BASE ? memory : MMIO_HOLE_BASE;
	memset(out, 0, sizeof(*out));
	memcpy(out->magic, FW_BOOT_MAGIC, sizeof(out->magic));
	out->size = sizeof(*out);
	out->flags = tpm ? FW_BOOT_HAS_TPM : 0;
	out->pci_slots = pci_slots;
	out->ram[0] = (struct fw_ram_range){ .base = 0, .size = FW_LOW_RAM_END };
	out->ram[1] = (struct fw_ram_range){ .base = FW_HIGH_RAM_BASE,
					     .size = low_end - FW_HIGH_RAM_BASE };
	out->ram_count = 2;
	if (memory > low_end) {
		out->ram[2] =
			(struct fw_ram_range){ .base = MMIO_HOLE_END, .size = memory - low_end };
		out->ram_count = 3;
	}
	out->cpu_count = cpus;
	for (uint32_t i = 0; i < cpus; i++)
		out->apic_id[i] = i;
	return 0;
}
