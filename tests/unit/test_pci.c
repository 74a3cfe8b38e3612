/* Configuration mechanism 1, BARs that stay, the capability list of a virtio function. */
#include "vmm/bus/msix.h"
#include "vmm/bus/pci.h"
#include "vmm/virtio/transport.h"
#include "vmm/virtio/virtio_pci.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct pci_bus bus;
static struct pci_function disk;
static unsigned msix_at, writes;

static void select_at(unsigned device, unsigned offset)
{
	pci_port_write(&bus, 0xCF8, 4, 0x80000000u | device << 11 | (offset & 0xFC));
}

static uint32_t config_get(unsigned device, unsigned offset, unsigned size)
{
	select_at(device, offset);
	return pci_port_read(&bus, (uint16_t)(0xCFC + (offset & 3)), size);
}

static void config_put(unsigned device, unsigned offset, unsigned size, uint32_t value)
{
	select_at(device, offset);
	pci_port_write(&bus, (uint16_t)(0xCFC + (offset & 3)), size, value);
}

static void count_write(void *context, unsigned offset, unsigned size)
{
	(void)offset;
	(void)size;
	*(unsigned *)context += 1;
}

static int plug_a_disk(void **state)
{
	(void)state;
	struct err e = { 0 };

	pci_bus_init(&bus);
	msix_at = virtio_pci_function(&disk, 3, 2, 0x018000, 2);
	disk.written = count_write;
	disk.context = &writes;
	writes = 0;
	return pci_bus_plug(&bus, 3, &disk, &e);
}

static void the_host_bridge_is_first(void **state)
{
	(void)state;
	assert_int_equal(config_get(0, 0, 4), 0x00081B36);
	assert_int_equal(config_get(0, 0x08, 4), 0x06000000);
	assert_int_equal(config_get(0, 0x0E, 1), 0);
	config_put(0, 0x10, 4, 0xFFFFFFFF);
	assert_int_equal(config_get(0, 0x10, 4), 0);
}

static void mechanism_1_is_found(void **state)
{
	(void)state;
	pci_port_write(&bus, 0xCFB, 1, 1);
	pci_port_write(&bus, 0xCF8, 4, 0x80000000);
	assert_int_equal(pci_port_read(&bus, 0xCF8, 4), 0x80000000);
	pci_port_write(&bus, 0xCF8, 2, 0x1234);
	assert_int_equal(pci_port_read(&bus, 0xCF8, 4), 0x80000000);
	pci_port_write(&bus, 0xCF8, 4, 0xFFFFFFFF);
	assert_int_equal(pci_port_read(&bus, 0xCF8, 4), 0x80FFFFFC);
}

static void nobody_reads_all_ones(void **state)
{
	(void)state;
	assert_int_equal(config_get(1, 0, 4), 0xFFFFFFFF);
	assert_int_equal(config_get(31, 0, 4), 0xFFFFFFFF);
	pci_port_write(&bus, 0xCF8, 4, 0x80000000 | 3 << 11 | 1 << 8); /* function 1 */
	assert_int_equal(pci_port_read(&bus, 0xCFC, 4), 0xFFFFFFFF);
	pci_port_write(&bus, 0xCF8, 4, 0x80000000 | 1 << 16 | 3 << 11); /* bus 1 */
	assert_int_equal(pci_port_read(&bus, 0xCFC, 4), 0xFFFFFFFF);
	pci_port_write(&bus, 0xCF8, 4, 3 << 11); /* not enabled */
	assert_int_equal(pci_port_read(&bus, 0xCFC, 4), 0xFFFFFFFF);
	select_at(3, 0xFC);
	assert_int_equal(pci_port_read(&bus, 0xCFE, 4), 0xFFFFFFFF); /* beyond the port */
	assert_int_equal(pci_port_read(&bus, 0xCF9, 1), 0xFFFFFFFF);
	pci_port_write(&bus, 0xCFF, 4, 0);
}

static void a_virtio_function_says_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(config_get(3, 0, 4), 0x10421AF4);
	assert_int_equal(config_get(3, 0x08, 4), 0x01800001);
	assert_int_equal(config_get(3, 0x2C, 4), 0x00421AF4);
	assert_int_equal(config_get(3, 0x06, 2), 0x0010);
	assert_int_equal(config_get(3, 0x0E, 1), 0);
	assert_int_equal(config_get(3, 0x3D, 1), 0); /* no INTx pin */
}

static void bar_0_is_sized_and_never_moves(void **state)
{
	(void)state;
	const uint32_t fixed = 0xC0018000;
	static const uint32_t elsewhere[] = { 0, 0xD0000000, 0xC0010000, 0x1000, 0xFFFF0000 };

	assert_int_equal(config_get(3, 0x10, 4), fixed);
	config_put(3, 0x10, 4, 0xFFFFFFFF);
	assert_int_equal(config_get(3, 0x10, 4), 0xFFFF8000);
	config_put(3, 0x10, 4, fixed);
	assert_int_equal(config_get(3, 0x10, 4), fixed);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		config_put(3, 0x10, 4, 0xFFFFFFFF);
		config_put(3, 0x10, 4, elsewhere[i]);
		assert_int_equal(config_get(3, 0x10, 4), fixed);
		config_put(3, 0x12, 2, elsewhere[i]);
		config_put(3, 0x13, 1, elsewhere[i]);
		assert_int_equal(config_get(3, 0x10, 4), fixed);
	}
	for (unsigned bar = 0x14; bar <= 0x30; bar += 4) {
		if (bar == 0x2C)
			continue;
		config_put(3, bar, 4, 0xFFFFFFFF);
		assert_int_equal(config_get(3, bar, 4), 0);
	}
	assert_int_equal(writes, 0);
}

static void only_writable_bits_change(void **state)
{
	(void)state;
	uint8_t before[256];

	memcpy(before, disk.config, sizeof(before));
	for (unsigned offset = 0; offset < 256; offset += 4)
		if (offset != 0x10)
			config_put(3, offset, 4, 0xFFFFFFFF);
	assert_int_equal(config_get(3, 0x04, 2), 0x0406);
	assert_int_equal(config_get(3, msix_at + 2, 2), 0xC001);
	disk.config[4] = before[4];
	disk.config[5] = before[5];
	disk.config[msix_at + 3] = before[msix_at + 3];
	assert_memory_equal(before, disk.config, sizeof(before));
	assert_int_equal(writes, 2); /* command, message control */
}

struct region {
	uint8_t type;
	uint32_t offset, length;
};

static void capabilities_describe_bar_0(void **state)
{
	(void)state;
	static const struct region expected[] = {
		{ 1, 0x0000, 0x38 }, { 2, 0x3000, 0x1000 }, { 3, 0x1000, 1 }, { 4, 0x2000, 0x100 },
	};
	unsigned at = config_get(3, 0x34, 1), n = 0;

	for (; n < 4; n++, at = config_get(3, at + 1, 1)) {
		assert_int_equal(config_get(3, at, 1), 0x09);
		assert_int_equal(config_get(3, at + 2, 1), n == 1 ? 20 : 16);
		assert_int_equal(config_get(3, at + 3, 1), expected[n].type);
		assert_int_equal(config_get(3, at + 4, 4), 0);
		assert_int_equal(config_get(3, at + 8, 4), expected[n].offset);
		assert_int_equal(config_get(3, at + 12, 4), expected[n].length);
		if (n == 1)
			assert_int_equal(config_get(3, at + 16, 4), BAR_NOTIFY_STEP);
	}
	assert_int_equal(at, msix_at);
	assert_int_equal(config_get(3, at, 4), 0x00010011);
	assert_int_equal(config_get(3, at + 4, 4), 0x4000);
	assert_int_equal(config_get(3, at + 8, 4), 0x5000);
}

static void a_full_space_takes_no_capability(void **state)
{
	(void)state;
	static const uint8_t body[200];
	struct pci_function f = disk;

	assert_int_equal(pci_function_add_cap(&f, 9, body, 200), 0);
	assert_int_equal(pci_function_add_cap(&f, 9, body, 1), 0);
	assert_memory_equal(f.config, disk.config, sizeof(f.config));
}

static void a_slot_is_taken_once(void **state)
{
	(void)state;
	struct pci_function other = { 0 };
	struct err e = { 0 };

	assert_int_equal(pci_bus_plug(&bus, 3, &other, &e), -EX_INTERNAL);
	assert_int_equal(pci_bus_plug(&bus, 0, &other, &e), -EX_INTERNAL);
	assert_int_equal(pci_bus_plug(&bus, 17, &other, &e), -EX_INTERNAL);
	assert_int_equal(pci_bus_plug(&bus, 16, &other, &e), 0);
}

int main(void)
{
#define WITH_DISK(f) cmocka_unit_test_setup(f, plug_a_disk)
	const struct CMUnitTest tests[] = {
		WITH_DISK(the_host_bridge_is_first),
		WITH_DISK(mechanism_1_is_found),
		WITH_DISK(nobody_reads_all_ones),
		WITH_DISK(a_virtio_function_says_what_it_is),
		WITH_DISK(bar_0_is_sized_and_never_moves),
		WITH_DISK(only_writable_bits_change),
		WITH_DISK(capabilities_describe_bar_0),
		WITH_DISK(a_full_space_takes_no_capability),
		WITH_DISK(a_slot_is_taken_once),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
