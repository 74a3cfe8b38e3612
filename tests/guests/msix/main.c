/* MSI-X: a request raises its vector; a masked one waits and is not lost; a vector that aims
 * elsewhere than at a local APIC raises nothing and breaks nothing; an illegal step under a running
 * device raises the configuration change vector. */
#include "tests/guests/lib/virtio.h"

#define NUMBER    0x22u /* of queue 0 */
#define CHANGE    0x23u /* of configuration changes */
#define LAPIC_IRR 0x200u

static volatile unsigned seen, changes;

void guest_trap(struct trap_frame *f)
{
	if (f->vector != NUMBER && f->vector != CHANGE) {
		put_value("trap", f->vector);
		power_off();
	}
	if (f->vector == NUMBER)
		seen++;
	else
		changes++;
	lapic_eoi();
}

static void request(const struct virtio *v, uint16_t number)
{
	blk_prepare_read(0);
	ring_offer(v, 0, 0);
	put_value("used", ring_wait_used(0, number));
}

/* Halts until it comes: a lost interrupt is a hanging guest, here as anywhere. */
static void wait_interrupt(unsigned count)
{
	while (seen < count)
		halt_once();
	put_value("interrupts", seen);
}

/* With interrupts off one would stay in the local APIC's request register. */
static void expect_none(void)
{
	uint32_t pending = 0;

	for (unsigned n = 0; n < 2000 && pending == 0; n++) {
		pending = mmio_read32(LAPIC_BASE + LAPIC_IRR + 0x10 * (NUMBER / 32));
		(void)in8(0x80);
	}
	put_value("pending", pending);
	put_value("interrupts", seen);
}

void guest_main(void)
{
	struct virtio v = { 0 };

	lapic_enable();
	if (!virtio_find(&v, 2)) {
		put_text("no disk\n");
		power_off();
	}
	put_value("control", pci_get16(v.slot, v.msix + 2));
	msix_enable(&v);
	msix_set(&v, 0, NUMBER);
	msix_set(&v, 1, CHANGE);
	virtio_negotiate(&v);
	mmio_write16(v.common + COMMON_CONFIG_VECTOR, 1);
	virtio_set_up_queue(&v, 0, 0);
	virtio_set_status(&v, 15);
	put_value("status", virtio_status(&v));
	put_text("open\n");
	request(&v, 1);
	wait_interrupt(1);
	put_text("masked\n");
	msix_mask(&v, 0, true);
	request(&v, 2);
	expect_none();
	put_text("unmasked\n");
	msix_mask(&v, 0, false);
	wait_interrupt(2);
	put_text("astray\n");
	mmio_write32(v.msix_table, BUFFER_GPA);
	mmio_write32(v.msix_table + 4, 0xFF);
	request(&v, 3);
	expect_none();
	put_value("changes", changes);
	mmio_write16(v.common + COMMON_QUEUE_SIZE, 4); /* illegal now */
	while (changes == 0)
		halt_once();
	put_value("changes", changes);
	put_value("status", virtio_status(&v));
	power_off();
}
