/* ACPI tables: checksums, links, processors, capacity, and what the DSDT constant holds. */
#include "firmware/acpi.h"
#include "tests/unit/fw_fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t load(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static int sum_is_zero(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	return sum == 0;
}

static uint8_t area[FW_ACPI_SIZE];
static size_t used;

static void build_for(const struct fw_boot_block *b, enum fw_variant variant)
{
	memset(area, 0xEE, sizeof(area));
	assert_int_equal(fw_acpi_build(b, variant, area, sizeof(area), &used), 0);
	assert_int_equal(area[used], 0xEE);
}

static void build(const struct fw_boot_block *b)
{
	build_for(b, FW_VARIANT_PLAIN);
}

/* The table at a guest-physical address, inside what was built and with a right checksum. */
static const uint8_t *table_at(uint64_t gpa, const char *signature)
{
	const uint8_t *p;
	size_t size;

	assert_true(gpa >= FW_ACPI && gpa - FW_ACPI <= used - 36 && gpa % 16 == 0);
	p = area + (gpa - FW_ACPI);
	size = load(p + 4, 4);
	assert_true(size >= 36 && size <= used - (gpa - FW_ACPI));
	assert_true(sum_is_zero(p, size));
	assert_memory_equal(p, signature, 4);
	return p;
}

static const uint8_t *find(const char *signature)
{
	const uint8_t *xsdt = table_at(load(area + 24, 8), "XSDT");

	for (size_t i = 36; i < load(xsdt + 4, 4); i += 8) {
		uint64_t gpa = load(xsdt + i, 8);

		if (memcmp(area + (gpa - FW_ACPI), signature, 4) == 0)
			return table_at(gpa, signature);
	}
	return NULL;
}

static void root_and_links(void **state)
{
	struct fw_boot_block b;
	const uint8_t *fadt;

	(void)state;
	fixture_boot_block(&b);
	build(&b);
	assert_memory_equal(area, "RSD PTR ", 8);
	assert_true(sum_is_zero(area, 20) && sum_is_zero(area, 36));
	fadt = find("FACP");
	assert_non_null(fadt);
	assert_int_equal(load(fadt + 4, 4), 276);
	assert_true(load(fadt + 40, 4) == load(fadt + 140, 8));
	table_at(load(fadt + 140, 8), "DSDT");
	assert_int_equal(load(fadt + 112, 4), 1u << 20 | 1u << 10 | 1u << 5 | 1u << 4);
	assert_int_equal(load(fadt + 120, 8), PORT_RESET);
	assert_int_equal(load(fadt + 248, 8), PORT_SLEEP_CONTROL);
	assert_int_equal(load(fadt + 260, 8), PORT_SLEEP_STATUS);
}

static void tpm_table_follows_the_flag(void **state)
{
	struct fw_boot_block b;
	const uint8_t *tpm2;

	(void)state;
	fixture_boot_block(&b);
	build(&b);
	tpm2 = find("TPM2");
	assert_non_null(tpm2);
	assert_int_equal(load(tpm2 + 4, 4), 76);
	assert_true(load(tpm2 + 40, 8) == TPM_CRB_CONTROL && load(tpm2 + 48, 4) == 7);
	assert_true(load(tpm2 + 64, 4) == FW_EVENT_LOG_SIZE && load(tpm2 + 68, 8) == FW_EVENT_LOG);
	assert_non_null(memmem(area, used, "MSFT0101", 8));
	b.flags = 0;
	build(&b);
	assert_null(find("TPM2"));
	assert_null(memmem(area, used, "MSFT0101", 8));
}

static void processors(void **state)
{
	struct fw_boot_block b;
	const uint8_t *madt;

	(void)state;
	fixture_boot_block(&b);
	b.cpu_count = 3;
	b.apic_id[1] = 254;
	b.apic_id[2] = 255;
	build(&b);
	madt = find("APIC");
	assert_non_null(madt);
	assert_int_equal(load(madt + 4, 4), 44 + 8 + 8 + 16 + 12);
	assert_true(load(madt + 36, 4) == LAPIC_BASE);
	assert_true(madt[44] == 0 && madt[45] == 8 && madt[47] == 0 && madt[48] == 1);
	assert_true(madt[52] == 0 && madt[54] == 1 && madt[55] == 254);
	assert_true(madt[60] == 9 && madt[61] == 16 && load(madt + 64, 4) == 255);
	assert_true(load(madt + 68, 4) == 1 && load(madt + 72, 4) == 2);
	assert_true(madt[76] == 1 && madt[77] == 12 && load(madt + 80, 4) == IOAPIC_BASE);
}

/* What a trust domain's tables have and no other's: the mailbox behind the I/O APIC (ACPI 6.5
 * §5.2.12.19) and the CC log's table (§5.2.34). */
static void trust_domain(void **state)
{
	static const uint8_t wakeup[16] = { 0x10, 16, 0, 0, 0, 0, 0, 0, 0x00, 0x60, 0x18 };
	static uint8_t plain[FW_ACPI_SIZE];
	const uint8_t *madt, *ccel;
	struct fw_boot_block b;
	size_t plain_size;

	(void)state;
	fixture_boot_block(&b);
	build_for(&b, FW_VARIANT_TDX);
	madt = find("APIC");
	assert_non_null(madt);
	assert_int_equal(load(madt + 4, 4), 44 + 8 + 8 + 12 + 16);
	assert_memory_equal(madt + 72, wakeup, sizeof(wakeup));
	assert_int_equal(load(madt + 40, 4), 0); /* no 8259 */
	ccel = find("CCEL");
	assert_non_null(ccel);
	assert_int_equal(load(ccel + 4, 4), 56);
	assert_true(ccel[8] == 1 && ccel[36] == 2 && ccel[37] == 0);
	assert_true(load(ccel + 40, 8) == FW_CC_LOG_SIZE && load(ccel + 48, 8) == FW_CC_LOG);
	assert_non_null(find("TPM2"));
	b.flags = 0;
	build_for(&b, FW_VARIANT_TDX);
	assert_null(find("TPM2"));
	assert_non_null(find("CCEL"));

	build_for(&b, FW_VARIANT_PLAIN);
	assert_null(find("CCEL"));
	assert_int_equal(load(find("APIC") + 4, 4), 44 + 8 + 8 + 12);
	memcpy(plain, area, used);
	plain_size = used;
	build_for(&b, FW_VARIANT_SNP);
	assert_int_equal(used, plain_size);
	assert_memory_equal(area, plain, used);
}

static void largest_fits_and_is_the_same_twice(void **state)
{
	static uint8_t again[FW_ACPI_SIZE];
	struct fw_boot_block b;
	size_t size = 0;

	(void)state;
	fixture_boot_block(&b);
	b.cpu_count = FW_BOOT_CPU_MAX;
	for (uint32_t i = 0; i < FW_BOOT_CPU_MAX; i++)
		b.apic_id[i] = 1000 + i;
	build_for(&b, FW_VARIANT_TDX);
	assert_true(used < FW_ACPI_SIZE);
	/* Leftovers in the area change nothing. */
	assert_int_equal(fw_acpi_build(&b, FW_VARIANT_TDX, again, sizeof(again), &size), 0);
	assert_int_equal(size, used);
	assert_memory_equal(again, area, size);
}

static void capacity(void **state)
{
	struct fw_boot_block b;
	size_t size = 0;

	(void)state;
	fixture_boot_block(&b);
	build_for(&b, FW_VARIANT_TDX);
	for (size_t cap = 0; cap <= used; cap++) {
		uint8_t *exact = malloc(cap + 1);

		assert_non_null(exact);
		exact[cap] = 0x77;
		assert_int_equal(fw_acpi_build(&b, FW_VARIANT_TDX, exact, cap, &size),
				 cap < used ? -1 : 0);
		assert_int_equal(exact[cap], 0x77);
		free(exact);
	}
}

/* dsdt.asl repeats numbers of layout.h: resource descriptors as the specification encodes them
 * (ACPI 6.4 §6.4.2.5 I/O port, §6.4.3.4 fixed memory, §6.4.3.5.2 double word address space). */
static void dsdt_agrees_with_layout(void **state)
{
	uint8_t uart[8] = { 0x47, 1, 0, 0, 0, 0, 1, 8 };
	uint8_t tpm[12] = { 0x86, 9, 0, 1 };
	uint8_t window[12];
	struct fw_boot_block b;

	(void)state;
	fixture_boot_block(&b);
	build(&b);
	fixture_store(uart + 2, UART_PORT, 2);
	fixture_store(uart + 4, UART_PORT, 2);
	assert_non_null(memmem(area, used, uart, sizeof(uart)));
	fixture_store(tpm + 4, TPM_CRB_BASE, 4);
	fixture_store(tpm + 8, TPM_CRB_SIZE, 4);
	assert_non_null(memmem(area, used, tpm, sizeof(tpm)));
	fixture_store(window, PCI_WINDOW_BASE, 4);
	fixture_store(window + 4, PCI_WINDOW_BASE + PCI_WINDOW_SIZE - 1, 4);
	memset(window + 8, 0, 4);
	assert_non_null(memmem(area, used, window, sizeof(window)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_and_links),
		cmocka_unit_test(tpm_table_follows_the_flag),
		cmocka_unit_test(processors),
		cmocka_unit_test(trust_domain),
		cmocka_unit_test(largest_fits_and_is_the_same_twice),
		cmocka_unit_test(capacity),
		cmocka_unit_test(dsdt_agrees_with_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
