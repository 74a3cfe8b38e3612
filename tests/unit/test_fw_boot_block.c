/* Boot block rules: every rule has a row that breaks it and nothing else. */
#include "firmware/bootblock.h"
#include "tests/unit/fw_fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define MIB 0x100000ull

struct input {
	struct fw_boot_block b;
	struct fw_limits limits;
	unsigned phys_bits;
};

static struct input sound(void)
{
	struct input in = { .limits = { .min_ram = 512 * MIB, .max_cpus = 4, .require_tpm = 1 },
			    .phys_bits = 40 };

	fixture_boot_block(&in.b);
	return in;
}

#define BREAK(name, statement) \
	static void name(struct input *in) { statement; }

BREAK(magic, in->b.magic[7] = '2')
BREAK(size_small, in->b.size--)
BREAK(size_large, in->b.size++)
BREAK(unknown_flag, in->b.flags |= 2)
BREAK(reserved0, in->b.reserved0 = 1)
BREAK(reserved_first, in->b.reserved[0] = 1)
BREAK(reserved_last, in->b.reserved[31] = 0x80)
BREAK(many_slots, in->b.pci_slots = 17)
BREAK(one_range, in->b.ram_count = 1)
BREAK(no_range, in->b.ram_count = 0)
/* Sixteen good ranges, and processor ids that would read as a good seventeenth. */
static void many_ranges(struct input *in)
{
	for (uint32_t i = 2; i < FW_BOOT_RAM_MAX; i++)
		in->b.ram[i] = (struct fw_ram_range){ MMIO_HOLE_END + i * 4 * MIB, 4 * MIB };
	in->b.ram_count = 17;
	in->b.apic_id[0] = 0;
	in->b.apic_id[1] = 2; /* base 8 GiB */
	in->b.apic_id[2] = 0x200000;
	in->b.apic_id[3] = 0;
}
BREAK(low_base, in->b.ram[0].base = 0x1000)
BREAK(low_large, in->b.ram[0].size = 0xA1000)
BREAK(low_small, in->b.ram[0].size = 0x9F000)
BREAK(second_base, in->b.ram[1].base += 2 * MIB; in->b.ram[1].size -= 2 * MIB)
BREAK(second_end, in->b.ram[1].size += 0x1000)
BREAK(second_empty, in->b.ram[1].size = 0; in->b.ram_count = 2;
      in->b.ram[2] = (struct fw_ram_range){ 0 })
BREAK(third_base, in->b.ram[2].base += 0x1000; in->b.ram[2].size -= 0x1000)
BREAK(third_end, in->b.ram[2].size += 0x1000)
BREAK(third_empty, in->b.ram[2].size = 0)
BREAK(wrap, in->b.ram[2].size = 0 - in->b.ram[2].base)
BREAK(wrap_past, in->b.ram[2].base = 0 - 2 * MIB; in->b.ram[2].size = 4 * MIB)
BREAK(over_physical, in->phys_bits = 32)
BREAK(bits_unknown, in->phys_bits = 31)
BREAK(bits_too_many, in->phys_bits = 53)
BREAK(over_46_bits, in->phys_bits = 52; in->b.ram[2].base = (1ull << 46) - 2 * MIB;
      in->b.ram[2].size = 4 * MIB)
BREAK(overlap, in->b.ram[2].base = 256 * MIB; in->b.ram[2].size = 2 * MIB)
BREAK(unsorted, in->b.ram_count = 4; in->b.ram[3].base = 1024 * MIB; in->b.ram[3].size = 2 * MIB)
BREAK(hole_start, in->b.ram[1].size = MMIO_HOLE_BASE + 2 * MIB - in->b.ram[1].base)
BREAK(hole_inside, in->b.ram[2].base = MMIO_HOLE_BASE + 16 * MIB; in->b.ram[2].size = 2 * MIB)
BREAK(hole_end, in->b.ram[2].base = MMIO_HOLE_END - 2 * MIB; in->b.ram[2].size = 4 * MIB)
BREAK(hole_spanned, in->b.ram[2].base = 1024 * MIB; in->b.ram[2].size = 4096 * MIB)
BREAK(unused_base, in->b.ram[3].base = 1)
BREAK(unused_size, in->b.ram[15].size = 1)
BREAK(no_cpu, in->b.cpu_count = 0)
BREAK(many_cpus, in->b.cpu_count = 257; in->limits.max_cpus = 1000)
BREAK(over_plan, in->b.cpu_count = 5; for (uint32_t i = 0; i < 5; i++) in->b.apic_id[i] = i)
BREAK(same_id, in->b.apic_id[1] = 0)
BREAK(falling_ids, in->b.apic_id[0] = 7; in->b.apic_id[1] = 3)
BREAK(broadcast_id, in->b.apic_id[1] = UINT32_MAX)
BREAK(unused_id, in->b.apic_id[255] = 1)
BREAK(unused_id_next, in->b.apic_id[2] = 2)
BREAK(little_ram, in->limits.min_ram = 2560 * MIB + 1)
BREAK(no_tpm, in->b.flags = 0)

#define ROW(name, code) { #name, name, code }
static const struct {
	const char *name;
	void (*apply)(struct input *in);
	enum fw_stop want;
} rows[] = {
	ROW(magic, STOP_BOOT_BLOCK),
	ROW(size_small, STOP_BOOT_BLOCK),
	ROW(size_large, STOP_BOOT_BLOCK),
	ROW(unknown_flag, STOP_BOOT_BLOCK),
	ROW(reserved0, STOP_BOOT_BLOCK),
	ROW(reserved_first, STOP_BOOT_BLOCK),
	ROW(reserved_last, STOP_BOOT_BLOCK),
	ROW(many_slots, STOP_BOOT_BLOCK),
	ROW(one_range, STOP_BOOT_RAM),
	ROW(no_range, STOP_BOOT_RAM),
	ROW(many_ranges, STOP_BOOT_RAM),
	ROW(low_base, STOP_BOOT_RAM),
	ROW(low_large, STOP_BOOT_RAM),
	ROW(low_small, STOP_BOOT_RAM),
	ROW(second_base, STOP_BOOT_RAM),
	ROW(second_end, STOP_BOOT_RAM),
	ROW(second_empty, STOP_BOOT_RAM),
	ROW(third_base, STOP_BOOT_RAM),
	ROW(third_end, STOP_BOOT_RAM),
	ROW(third_empty, STOP_BOOT_RAM),
	ROW(wrap, STOP_BOOT_RAM),
	ROW(wrap_past, STOP_BOOT_RAM),
	ROW(over_physical, STOP_BOOT_RAM),
	ROW(bits_unknown, STOP_BOOT_RAM),
	ROW(bits_too_many, STOP_BOOT_RAM),
	ROW(over_46_bits, STOP_BOOT_RAM),
	ROW(overlap, STOP_BOOT_RAM),
	ROW(unsorted, STOP_BOOT_RAM),
	ROW(hole_start, STOP_BOOT_RAM),
	ROW(hole_inside, STOP_BOOT_RAM),
	ROW(hole_end, STOP_BOOT_RAM),
	ROW(hole_spanned, STOP_BOOT_RAM),
	ROW(unused_base, STOP_BOOT_RAM),
	ROW(unused_size, STOP_BOOT_RAM),
	ROW(no_cpu, STOP_BOOT_CPUS),
	ROW(many_cpus, STOP_BOOT_CPUS),
	ROW(over_plan, STOP_BOOT_CPUS),
	ROW(same_id, STOP_BOOT_CPUS),
	ROW(falling_ids, STOP_BOOT_CPUS),
	ROW(broadcast_id, STOP_BOOT_CPUS),
	ROW(unused_id, STOP_BOOT_CPUS),
	ROW(unused_id_next, STOP_BOOT_CPUS),
	ROW(little_ram, STOP_BOOT_RAM_SMALL),
	ROW(no_tpm, STOP_BOOT_NO_TPM),
};

static void every_rule_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct input in = sound();

		assert_int_equal(fw_boot_block_check(&in.b, &in.limits, in.phys_bits),
				 STOP_HANDED_OVER);
		rows[i].apply(&in);
		if (fw_boot_block_check(&in.b, &in.limits, in.phys_bits) != rows[i].want)
			fail_msg("rule %s: not stopped with 0x%02x", rows[i].name,
				 (unsigned)rows[i].want);
	}
}

/* What lies just inside the rules is taken: no rule is stricter than it says. */
static void limits_themselves_pass(void **state)
{
	struct input in = sound();

	(void)state;
	in.limits.min_ram = 2560 * MIB;
	in.limits.require_tpm = 0;
	in.b.flags = 0;
	in.limits.max_cpus = 256;
	in.b.cpu_count = 256;
	for (uint32_t i = 0; i < 256; i++)
		in.b.apic_id[i] = 2 * i + (i == 255 ? UINT32_MAX - 1 - 2 * 255 : 0);
	in.b.pci_slots = 16;
	assert_int_equal(fw_boot_block_check(&in.b, &in.limits, 40), STOP_HANDED_OVER);

	in = sound();
	in.b.ram_count = 16;
	for (uint32_t i = 2; i < 16; i++)
		in.b.ram[i] = (struct fw_ram_range){ MMIO_HOLE_END + (i - 2) * 4 * MIB, 4 * MIB };
	in.b.ram[1].size = MMIO_HOLE_BASE - FW_HIGH_RAM_BASE;
	in.b.ram[15].base = (1ull << 46) - 2 * MIB;
	in.b.ram[15].size = 2 * MIB;
	assert_int_equal(fw_boot_block_check(&in.b, &in.limits, 52), STOP_HANDED_OVER);
	assert_int_equal(fw_boot_block_check(&in.b, &in.limits, 45), STOP_BOOT_RAM);
}

static void memory_counts_as_stated(void **state)
{
	struct input in = sound();

	(void)state;
	assert_true(fw_boot_block_ram(&in.b) == 512 * MIB + 2048 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_refuses),
		cmocka_unit_test(limits_themselves_pass),
		cmocka_unit_test(memory_counts_as_stated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
