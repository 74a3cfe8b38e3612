#include "firmware/bootblock.h"

#include "common/checked.h"

#include <stddef.h>
#include <string.h>

static bool all_zero(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static bool head_ok(const struct fw_boot_block *b)
{
	return memcmp(b->magic, FW_BOOT_MAGIC, sizeof(b->magic)) == 0 && b->size == sizeof(*b) &&
	       (b->flags & ~FW_BOOT_HAS_TPM) == 0 && b->reserved0 == 0 &&
	       b->pci_slots <= PCI_SLOT_MAX && all_zero(b->reserved, sizeof(b->reserved));
}

/* One range of index 1 or more; floor is the end of the one before. */
static bool range_ok(const struct fw_ram_range *r, uint32_t index, uint64_t floor, uint64_t limit)
{
	uint64_t end;

	if (r->size == 0 || !ck_add_u64(r->base, r->size, &end) || end > limit)
		return false;
	if (index == 1 ? r->base != FW_HIGH_RAM_BASE : r->base % FW_RAM_ALIGN != 0)
		return false;
	/* Sorted and disjoint; the firmware window and everything below belongs to ranges 0, 1. */
	return end % FW_RAM_ALIGN == 0 && r->base >= floor &&
	       !ck_overlap(r->base, r->size, MMIO_HOLE_BASE, MMIO_HOLE_END - MMIO_HOLE_BASE);
}

static bool ram_ok(const struct fw_boot_block *b, unsigned phys_bits)
{
	unsigned bits = phys_bits < FW_PHYS_BITS_MAX ? phys_bits : FW_PHYS_BITS_MAX;
	uint64_t limit = 1ull << bits, floor = FW_LOW_RAM_END;

	if (b->ram_count < 2 || b->ram_count > FW_BOOT_RAM_MAX)
		return false;
	if (b->ram[0].base != 0 || b->ram[0].size != FW_LOW_RAM_END)
		return false;
	for (uint32_t i = 1; i < b->ram_count; i++) {
		if (!range_ok(&b->ram[i], i, floor, limit))
			return false;
		floor = b->ram[i].base + b->ram[i].size;
	}
	return all_zero(&b->ram[b->ram_count],
			(FW_BOOT_RAM_MAX - b->ram_count) * sizeof(b->ram[0]));
}

static bool cpus_ok(const struct fw_boot_block *b)
{
	if (b->cpu_count < 1 || b->cpu_count > FW_BOOT_CPU_MAX)
		return false;
	for (uint32_t i = 0; i < b->cpu_count; i++) {
		/* All ones is the broadcast destination: SDM vol. 3 §11.12.9. */
		if (b->apic_id[i] == UINT32_MAX)
			return false;
		if (i > 0 && b->apic_id[i] <= b->apic_id[i - 1])
			return false;
	}
	return all_zero(&b->apic_id[b->cpu_count],
			(FW_BOOT_CPU_MAX - b->cpu_count) * sizeof(b->apic_id[0]));
}

uint64_t fw_boot_block_ram(const struct fw_boot_block *b)
{
	uint64_t sum = FW_HIGH_RAM_BASE - FW_LOW_RAM_END;

	for (uint32_t i = 0; i < b->ram_count && i < FW_BOOT_RAM_MAX; i++)
		sum += b->ram[i].size;
	return sum;
}

enum fw_stop fw_boot_block_check(const struct fw_boot_block *b, const struct fw_limits *limits,
				 unsigned phys_bits)
{
	if (!head_ok(b))
		return STOP_BOOT_BLOCK;
	if (phys_bits < 32 || phys_bits > 52 || !ram_ok(b, phys_bits))
		return STOP_BOOT_RAM;
	if (!cpus_ok(b) || b->cpu_count > limits->max_cpus)
		return STOP_BOOT_CPUS;
	if (fw_boot_block_ram(b) < limits->min_ram)
		return STOP_BOOT_RAM_SMALL;
	if (limits->require_tpm != 0 && (b->flags & FW_BOOT_HAS_TPM) == 0)
		return STOP_BOOT_NO_TPM;
	return STOP_HANDED_OVER;
}
