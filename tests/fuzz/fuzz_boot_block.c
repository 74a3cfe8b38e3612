/* Boot block: accepted implies every rule of docs/architecture.md, stated here a second time in
 * other words. The input is a number of address bits, then patches (offset, value: 16 and 8 bits)
 * to a sound block; accepted blocks also go through the ACPI writer. */
#include "firmware/acpi.h"
#include "firmware/bootblock.h"
#include "tests/unit/fw_fixtures.h"

#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static void check_ram(const struct fw_boot_block *b, unsigned bits)
{
	unsigned __int128 previous = 0;

	REQUIRE(b->ram_count >= 2 && b->ram_count <= 16);
	REQUIRE(b->ram[0].base == 0 && b->ram[0].size == 0xA0000 && b->ram[1].base == 0x100000);
	for (unsigned i = 0; i < 16; i++) {
		unsigned __int128 base = b->ram[i].base, end = base + b->ram[i].size;

		if (i >= b->ram_count) {
			REQUIRE(base == 0 && end == 0);
			continue;
		}
		REQUIRE(end > base && base >= previous && end <= (unsigned __int128)1 << 46);
		REQUIRE(end <= (unsigned __int128)1 << bits);
		REQUIRE(end <= 0xC0000000 || base >= 0x100000000);
		REQUIRE(i == 0 || end % 0x200000 == 0);
		REQUIRE(i < 2 || base % 0x200000 == 0);
		previous = end;
	}
}

static void check_accepted(const struct fw_boot_block *b, unsigned bits)
{
	static uint8_t acpi[FW_ACPI_SIZE];
	size_t size = 0;

	REQUIRE(memcmp(b->magic, "PVBOOT01", 8) == 0 && b->size == 1344 && b->flags <= 1);
	REQUIRE(b->reserved0 == 0 && b->pci_slots <= 16);
	for (size_t i = 0; i < sizeof(b->reserved); i++)
		REQUIRE(b->reserved[i] == 0);
	check_ram(b, bits);
	REQUIRE(b->cpu_count >= 1 && b->cpu_count <= 4);
	for (unsigned i = 0; i < 256; i++) {
		if (i >= b->cpu_count)
			REQUIRE(b->apic_id[i] == 0);
		else
			REQUIRE(b->apic_id[i] != UINT32_MAX &&
				(i == 0 || b->apic_id[i] > b->apic_id[i - 1]));
	}
	for (enum fw_variant v = FW_VARIANT_PLAIN; v <= FW_VARIANT_TDX; v++)
		REQUIRE(fw_acpi_build(b, v, acpi, sizeof(acpi), &size) == 0 &&
			size <= sizeof(acpi));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fw_limits limits = { .min_ram = 1, .max_cpus = 4 };
	struct fw_boot_block b;

	if (size < 1)
		return 0;
	fixture_boot_block(&b);
	for (size_t i = 1; i + 3 <= size; i += 3)
		((uint8_t *)&b)[(data[i] | data[i + 1] << 8) % sizeof(b)] = data[i + 2];
	if (fw_boot_block_check(&b, &limits, data[0]) == STOP_HANDED_OVER)
		check_accepted(&b, data[0]);
	return 0;
}
